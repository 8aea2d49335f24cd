package web

import (
	"net/http"

	"beagle/app"
)

// apiRoutes are the JSON API. Every call needs a key; another account's list is not found. Webhooks, whose secrets can be read, are for
// keys of those who manage the account.
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
	{http.MethodPatch, "/v2/lists/:list", (*Server).apiListEdit, keyed, quick},
	{http.MethodDelete, "/v2/lists/:list", (*Server).apiListDelete, keyed, quick},
	{post, "/v2/lists/:list/pause", apiControl((*app.App).Pause), keyed, quick},
	{post, "/v2/lists/:list/resume", apiControl((*app.App).Resume), keyed, quick},
	{post, "/v2/lists/:list/cancel", apiControl((*app.App).Cancel), keyed, quick},
	{post, "/v2/lists/:list/retry", apiControl((*app.App).RetryFailed), keyed, quick},
	{post, "/v2/lists/:list/rebuild", apiControl((*app.App).Rebuild), keyed, quick},
	{post, "/v2/lists/:list/archive", apiControl((*app.App).ArchiveList), keyed, quick},
	{post, "/v2/lists/:list/unarchive", apiControl((*app.App).UnarchiveList), keyed, quick},
	{post, "/v2/lists/:list/restore", apiControl((*app.App).RestoreList), keyed, quick},
	{get, "/v2/lists/:list/actions", (*Server).apiActions, keyed, quick},
	{get, "/v2/lists/:list/actions/:action", (*Server).apiAction, keyed, quick},
	{post, "/v2/lists/:list/actions/:action/undo", (*Server).apiActionUndo, keyed, quick},
	{get, "/v2/lists/:list/records", (*Server).apiRecords, keyed, quick},
	{post, "/v2/lists/:list/records", (*Server).apiRecordsCreate, keyed, quick},
	{post, "/v2/lists/:list/records/retry", apiRowsAction((*app.App).RunAgainLater), keyed, quick},
	{post, "/v2/lists/:list/records/delete", apiRowsAction((*app.App).RemoveRecords), keyed, quick},
	{get, "/v2/lists/:list/records/:record", (*Server).apiRecord, keyed, quick},
	{http.MethodPatch, "/v2/lists/:list/records/:record", (*Server).apiRecordEdit, keyed, quick},
	{post, "/v2/lists/:list/records/:record/retry", (*Server).apiRecordRetry, keyed, quick},
	{http.MethodDelete, "/v2/lists/:list/records/:record", (*Server).apiRecordDelete, keyed, quick},
	{get, "/v2/catalogue", (*Server).apiCatalogue, keyed, quick},
	{post, "/v2/catalogue/:item/get", (*Server).apiCatalogueGet, keyed, quick},
	{get, "/v2/webhooks", (*Server).apiWebhooks, keyedManagers, quick},
	{post, "/v2/webhooks", (*Server).apiWebhooksCreate, keyedManagers, quick},
	{get, "/v2/webhooks/:webhook", (*Server).apiWebhook, keyedManagers, quick},
	{http.MethodPatch, "/v2/webhooks/:webhook", (*Server).apiWebhookEdit, keyedManagers, quick},
	{http.MethodDelete, "/v2/webhooks/:webhook", (*Server).apiWebhookDelete, keyedManagers, quick},
	{get, "/v2/lists/:list/download", (*Server).downloadShow, keyed, download},
}
