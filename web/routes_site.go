package web

import (
	"net/http"

	"beagle/app"
)

const (
	get  = http.MethodGet
	post = http.MethodPost
)

// siteRoutes are the pages. A route for somebody who is signed in answers strangers with the sign-in page, and other accounts' lists are not found.
var siteRoutes = []route{
	{get, "/", (*Server).home, anyone, quick},
	{get, "/sign-in", (*Server).signInNew, anyone, quick},
	{post, "/sign-in", (*Server).signInCreate, anyone, quick},
	{get, "/sign-up", (*Server).signUpNew, anyone, quick},
	{post, "/sign-up", (*Server).signUpCreate, anyone, quick},
	{post, "/sign-out", (*Server).sessionsDelete, anyone, quick},
	{get, "/reset", (*Server).resetNew, anyone, quick},
	{post, "/reset", (*Server).resetCreate, anyone, quick},
	{get, "/reset/:token", (*Server).passwordNew, anyone, quick},
	{post, "/reset/:token", (*Server).passwordCreate, anyone, quick},

	{get, "/lists", (*Server).listsIndex, signedIn, quick},
	{post, "/lists", (*Server).listsCreate, signedIn, upload},
	{post, "/lists/sample", (*Server).listsCreateSample, signedIn, quick},
	{get, "/lists/:list", (*Server).listsShow, signedIn, quick},
	{get, "/lists/:list/mapping", (*Server).mappingShow, signedIn, quick},
	{post, "/lists/:list/mapping", (*Server).mappingCreate, signedIn, quick},
	{get, "/lists/:list/progress", (*Server).progressShow, signedIn, quick},
	{get, "/lists/:list/events", (*Server).eventsShow, signedIn, stream},
	{get, "/lists/:list/records/:record", (*Server).recordsShow, signedIn, quick},
	{get, "/lists/:list/download", (*Server).downloadShow, signedIn, download},
	{post, "/lists/:list/records/:record", (*Server).recordsUpdate, signedIn, quick},
	{post, "/lists/:list/records/:record/retries", (*Server).recordsRetry, signedIn, quick},
	{post, "/lists/:list/rows", (*Server).rowsUpdate, signedIn, quick},
	{post, "/lists/:list/removals/:removal/reversal", (*Server).removalsUndo, signedIn, quick},
	{get, "/lists/:list/columns", (*Server).columnsUpdate, signedIn, quick},
	{post, "/lists/:list/tags", (*Server).listsTag, signedIn, quick},
	{post, "/lists/:list/archival", control((*app.App).ArchiveList), signedIn, quick},
	{post, "/lists/:list/unarchival", control((*app.App).UnarchiveList), signedIn, quick},
	{post, "/lists/:list/restoration", control((*app.App).RestoreList), signedIn, quick},
	{post, "/lists/:list/name", (*Server).listsRename, signedIn, quick},
	{post, "/lists/:list/pause", control((*app.App).Pause), signedIn, quick},
	{post, "/lists/:list/resumption", control((*app.App).Resume), signedIn, quick},
	{post, "/lists/:list/cancellation", control((*app.App).Cancel), signedIn, quick},
	{post, "/lists/:list/retries", control((*app.App).RetryFailed), signedIn, quick},
	{post, "/lists/:list/exports", control((*app.App).Rebuild), signedIn, quick},
	{post, "/lists/:list/deletion", (*Server).listsDelete, signedIn, quick},

	{get, "/find", (*Server).findNew, signedIn, quick},
	{post, "/find", (*Server).findCreate, signedIn, quick},
	{post, "/verify", (*Server).verifyCreate, signedIn, quick},
	{post, "/find/additions", (*Server).additionsCreate, signedIn, quick},

	{get, "/keys", (*Server).keysIndex, signedIn, quick},
	{post, "/keys", (*Server).keysCreate, managers, quick},
	{post, "/keys/:key/revocation", (*Server).keysRevoke, signedIn, quick}, // members may revoke their own
	{get, "/settings", (*Server).settingsShow, signedIn, quick},
	{post, "/settings/mails", (*Server).mailsUpdate, signedIn, quick},
	{post, "/settings/name", (*Server).nameUpdate, signedIn, quick},
	{post, "/settings/password", (*Server).passwordUpdate, signedIn, quick},
	{post, "/settings/email", (*Server).emailUpdate, signedIn, quick},
	{get, "/settings/email/:token", (*Server).emailShow, anyone, quick},
	{post, "/settings/email/:token", (*Server).emailConfirm, anyone, quick},
	{post, "/settings/sessions/:session/deletion", (*Server).sessionsEnd, signedIn, quick},
	{post, "/settings/others/deletion", (*Server).sessionsEndOthers, signedIn, quick},

	{get, "/domains", (*Server).domainsIndex, signedIn, quick},
	{get, "/domains/:domain", (*Server).domainsShow, signedIn, quick},
	{post, "/domains/:domain/checks", (*Server).domainsCheck, signedIn, quick},
	{get, "/usage", (*Server).usageShow, signedIn, quick},
	{get, "/usage.csv", (*Server).usageDownload, signedIn, download},
	{get, "/catalogue", (*Server).catalogueIndex, signedIn, quick},
	{post, "/catalogue", (*Server).cataloguePublish, operators, quick},
	{get, "/catalogue/:item", (*Server).catalogueShow, signedIn, quick},
	{post, "/catalogue/:item/copies", (*Server).copiesCreate, signedIn, quick},
	{post, "/catalogue/:item/withdrawal", (*Server).catalogueWithdraw, operators, quick},

	{get, "/team", (*Server).teamShow, signedIn, quick},
	{post, "/team/name", (*Server).teamRename, managers, quick},
	{post, "/team/invitations", (*Server).invitationsCreate, managers, quick},
	{post, "/team/invitations/:invitation/mails", (*Server).invitationsResend, managers, quick},
	{post, "/team/invitations/:invitation/deletion", (*Server).invitationsDelete, managers, quick},
	{post, "/team/members/:member/role", (*Server).membersUpdate, managers, quick},
	{post, "/team/members/:member/deletion", (*Server).membersDelete, signedIn, quick}, // members may take out themselves
	{get, "/invitations/:token", (*Server).invitationsShow, anyone, quick},
	{post, "/invitations/:token", (*Server).invitationsAccept, anyone, quick},

	{get, "/privacy", (*Server).privacyShow, managers, quick},
	{get, "/audit", (*Server).auditIndex, managers, quick},
	{post, "/privacy/retention", (*Server).retentionUpdate, managers, quick},
	{get, "/privacy/data.zip", (*Server).dataShow, owners, download},
	{post, "/privacy/deletion", (*Server).accountDelete, owners, quick},
	{post, "/privacy/keeping", (*Server).accountKeep, owners, quick},
	{get, "/opt-out", (*Server).optOutNew, anyone, quick},
	{post, "/opt-out", (*Server).optOutCreate, anyone, quick},
	{get, "/opt-out/:token", (*Server).optOutShow, anyone, quick},
	{post, "/opt-out/:token", (*Server).optOutConfirm, anyone, quick},

	{get, "/webhooks", (*Server).webhooksIndex, managers, quick},
	{post, "/webhooks", (*Server).webhooksCreate, managers, quick},
	{post, "/webhooks/:webhook", (*Server).webhooksUpdate, managers, quick},
	{post, "/webhooks/:webhook/switch", (*Server).webhooksSwitch, managers, quick},
	{post, "/webhooks/:webhook/deletion", (*Server).webhooksDelete, managers, quick},
	{post, "/deliveries/:delivery/retries", (*Server).deliveriesRetry, managers, quick},
	{post, "/mcp", (*Server).mcpServe, keyed, quick},
	{get, "/docs/api", (*Server).docsShow, anyone, quick},
	{post, "/docs/api/tries", (*Server).triesCreate, signedIn, quick},
	{get, "/openapi.yaml", (*Server).openAPIShow, anyone, quick},
	{get, "/sample.csv", (*Server).sampleShow, anyone, quick},
	{get, "/static/*", (*Server).assetsShow, probes, quick},
	{get, "/favicon.ico", named("img/favicon.svg"), probes, quick},
	{get, "/robots.txt", named("robots.txt"), probes, quick},
	{get, "/healthz", (*Server).healthShow, probes, quick},
	{get, "/readyz", (*Server).readyShow, probes, quick},
	{get, "/admin", (*Server).adminShow, operators, quick},
	{get, "/admin/queues", (*Server).queuesIndex, operators, quick},
	{post, "/admin/queues/:queue/runs", taskControl((*app.App).RunTask), operators, quick},
	{post, "/admin/queues/:queue/archivals", taskControl((*app.App).ArchiveTask), operators, quick},
	{post, "/admin/credits", (*Server).creditsCreate, operators, quick},
	{post, "/admin/queues/:queue/deletions", taskControl((*app.App).DeleteTask), operators, quick},

	{get, "/dev/mail", (*Server).keptMailsIndex, anyone, quick},
	{get, "/metrics", (*Server).metricsShow, anyone, quick},
}
