package web

import (
	"net/http"

	"beagle/app"
)

// apiRoutes are the JSON API. Every call needs a key; another account's list is not found.
var apiRoutes = []route{
	{get, "/v2/email-finder", (*Server).apiFind, keyed, quick},
	{get, "/v2/email-verifier", (*Server).apiVerify, keyed, quick},
	{get, "/v2/domain-search", (*Server).apiDomainSearch, keyed, quick},
	{get, "/v2/email-count", (*Server).apiEmailCount, keyed, quick},
	{post, "/v2/known-emails", (*Server).apiKnownEmails, keyed, quick},
	{get, "/v2/account", (*Server).apiAccount, keyed, quick},

	{get, "/v2/lists", (*Server).apiLists, keyed, quick},
	{post, "/v2/lists", (*Server).apiListsCreate, keyed, upload},
	{get, "/v2/lists/:list", (*Server).apiList, keyed, quick},
	{http.MethodPatch, "/v2/lists/:list", (*Server).apiListRename, keyed, quick},
	{http.MethodDelete, "/v2/lists/:list", (*Server).apiListDelete, keyed, quick},
	{post, "/v2/lists/:list/pause", apiControl((*app.App).Pause), keyed, quick},
	{post, "/v2/lists/:list/resume", apiControl((*app.App).Resume), keyed, quick},
	{post, "/v2/lists/:list/cancel", apiControl((*app.App).Cancel), keyed, quick},
	{post, "/v2/lists/:list/retry", apiControl((*app.App).RetryFailed), keyed, quick},
	{post, "/v2/lists/:list/rebuild", apiControl((*app.App).Rebuild), keyed, quick},
	{get, "/v2/lists/:list/records", (*Server).apiRecords, keyed, quick},
	{post, "/v2/lists/:list/records", (*Server).apiRecordsCreate, keyed, quick},
	{get, "/v2/lists/:list/records/:record", (*Server).apiRecord, keyed, quick},
	{http.MethodPatch, "/v2/lists/:list/records/:record", (*Server).apiRecordEdit, keyed, quick},
	{post, "/v2/lists/:list/records/:record/retry", (*Server).apiRecordRetry, keyed, quick},
	{http.MethodDelete, "/v2/lists/:list/records/:record", (*Server).apiRecordDelete, keyed, quick},
	{get, "/v2/catalogue", (*Server).apiCatalogue, keyed, quick},
	{post, "/v2/catalogue/:item/get", (*Server).apiCatalogueGet, keyed, quick},
	{get, "/v2/webhooks", (*Server).apiWebhooks, keyed, quick},
	{post, "/v2/webhooks", (*Server).apiWebhooksCreate, keyed, quick},
	{get, "/v2/webhooks/:webhook", (*Server).apiWebhook, keyed, quick},
	{http.MethodPatch, "/v2/webhooks/:webhook", (*Server).apiWebhookEdit, keyed, quick},
	{http.MethodDelete, "/v2/webhooks/:webhook", (*Server).apiWebhookDelete, keyed, quick},
	{get, "/v2/lists/:list/download", (*Server).downloadShow, keyed, download},
}
