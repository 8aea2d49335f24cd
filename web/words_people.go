package web

import "strings"

// actionWords say what an audit event is about; others are read aloud.
var actionWords = map[string]string{
	"session.opened": "Signed in", "session.refused": "Sign-in refused", "session.ended": "Signed a browser out", "user.signed_up": "Signed up",
	"password.forgotten": "Asked for a new password", "password.reset": "Chose a new password by mail", "password.changed": "Changed the password", "email.changed": "Changed the address",
	"key.created": "Made an API key", "key.revoked": "Revoked an API key", "webhook.created": "Added a webhook", "webhook.changed": "Changed a webhook", "webhook.deleted": "Deleted a webhook",
	"member.invited": "Invited", "member.uninvited": "Took an invitation back", "member.joined": "Joined the team", "member.role": "Changed a role", "member.removed": "Removed a member", "team.renamed": "Renamed the team",
	"list.uploaded": "Uploaded a list", "list.discarded": "Threw an upload away", "list.restored": "Brought a list back", "records.added": "Added rows", "record.deleted": "Deleted a row",
	"records.retried": "Tried chosen rows again", "records.removed": "Removed rows", "records.restored": "Brought rows back", "delivery.resent": "Sent a message again", "opt_out.confirmed": "Opted somebody out",
	"task.run": "Ran a task", "task.deleted": "Deleted a task", "list.started": "Started a list", "list.paused": "Paused a list", "list.resumed": "Resumed a list", "list.canceled": "Canceled a list",
	"list.archived": "Archived a list", "list.unarchived": "Took a list out of the archive", "record.edited": "Corrected a row", "record.retried": "Ran a row again",
	"records.retry": "Ran chosen rows again", "records.remove": "Deleted rows", "list.retried": "Tried rows again", "list.deleted": "Deleted a list", "list.exported": "Downloaded a list", "known_emails.added": "Uploaded known addresses",
	"retention.changed": "Changed how long lists are kept", "account.exported": "Took all data away", "account.deletion_set": "Deleted the account", "account.kept": "Kept the account after all",
	"credits.given": "Gave credits", "task.archived": "Archived a task",
	"domain.refreshed": "Asked about a domain again", "catalogue.published": "Published a list", "catalogue.withdrawn": "Withdrew a list", "catalogue.got": "Got a list from the catalogue",
}

func actionWord(action string) string {
	if w, ok := actionWords[action]; ok {
		return w
	}
	return plainWords(strings.ReplaceAll(action, ".", " "))
}

// browserWord names the browser and system behind a User-Agent header, as well as that can be told; each pretends to be those after it.
func browserWord(agent string) string {
	name, system := "A program", ""
	for _, b := range [][2]string{{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}} {
		if strings.Contains(agent, b[0]) {
			name = b[1]
			break
		}
	}
	for _, s := range [][2]string{{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Mac OS X", "Mac"}, {"Linux", "Linux"}} {
		if strings.Contains(agent, s[0]) {
			system = " on " + s[1]
			break
		}
	}
	return name + system
}

// ledgerWord says what a credit was spent on or came from.
func ledgerWord(kind string) string {
	switch kind {
	case "find":
		return "Valid address found"
	case "grant":
		return "Credits given"
	case "catalogue":
		return "List from the catalogue"
	}
	return plainWords(kind)
}
