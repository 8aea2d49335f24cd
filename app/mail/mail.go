// Package mail writes our own outgoing mail from templates and hands it to a mail server.
package mail

import (
	"bytes"
	"fmt"
	html "html/template"
	"strings"
	text "text/template"

	"beagle/templates"
)

// Kinds of mail. Each has a template of text and one of HTML in templates/mail.
const (
	ListFinished  = "list_finished"
	ListFailed    = "list_failed"
	PasswordReset = "password_reset"
	Invitation    = "invitation"
	NewEmail      = "new_email"
	OptOut        = "opt_out"
	SignIn        = "sign_in"
	CreditsLow    = "credits_low"
)

// ListData is what ListFinished and ListFailed show.
type ListData struct {
	List     string // its name
	Rows     int64
	Found    int64
	Counts   []Count // by status, most first
	Note     string  // why it failed, for people
	Link     string  // to the list
	Settings string  // where these mails are switched off
}

// Count is how many rows ended with one status.
type Count struct {
	Word string
	Rows int64
}

// ResetData is what PasswordReset shows.
type ResetData struct{ Email, Link string }

// LinkData is what Invitation, NewEmail and OptOut show.
type LinkData struct {
	Email   string // whom the mail is for
	Link    string
	Team    string // Invitation
	By      string // Invitation: who sent it; may be ""
	Subject string // OptOut: the address or domain
	Days    int    // for how many days the link works
}

// SignInData is what SignIn shows.
type SignInData struct {
	Email string
	Note  string // when, from where and with what
	Link  string // to a new password
}

// CreditsData is what CreditsLow shows.
type CreditsData struct {
	Account string // its name
	Left    int64
	Link    string // to the lists
}

// Message is a mail, ready to be sent.
type Message struct{ To, Subject, Text, HTML string }

// button is a link that looks like one.
type button struct{ URL, Text string }

// Write fills in a kind's templates.
func Write(kind, to string, data any) (Message, error) {
	plain, err := text.ParseFS(templates.FS, "mail/"+kind+".txt")
	if err != nil {
		return Message{}, fmt.Errorf("reading the mail %s: %w", kind, err)
	}
	page, err := html.New(kind).Funcs(html.FuncMap{"button": func(url, text string) button { return button{url, text} }}).
		ParseFS(templates.FS, "mail/layout.html", "mail/"+kind+".html")
	if err != nil {
		return Message{}, fmt.Errorf("reading the mail %s: %w", kind, err)
	}
	var subject, body, rich bytes.Buffer
	for _, part := range []struct {
		into *bytes.Buffer
		make func(*bytes.Buffer) error
	}{
		{&subject, func(b *bytes.Buffer) error { return plain.ExecuteTemplate(b, "subject", data) }},
		{&body, func(b *bytes.Buffer) error { return plain.ExecuteTemplate(b, "body", data) }},
		{&rich, func(b *bytes.Buffer) error { return page.ExecuteTemplate(b, "mail", data) }},
	} {
		if err := part.make(part.into); err != nil {
			return Message{}, fmt.Errorf("writing the mail %s: %w", kind, err)
		}
	}
	return Message{To: to, Subject: strings.Join(strings.Fields(subject.String()), " "), Text: body.String(), HTML: rich.String()}, nil
}
