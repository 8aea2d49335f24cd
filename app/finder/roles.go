package finder

import "strings"

// roleLocals are local parts of functions. A person's candidate that reads like one (hr@ for Hanna
// Richter) is never asked: it would answer, and not be hers.
var roleLocals = set("abuse accounting accounts accountspayable accountsreceivable admin administration administrator ads advertising affiliate affiliates alert alerts all api app apply ar archive " +
	"audit backup bestellung bewerbung billing board bookings booking buchhaltung business buero buro careers career cfo ceo cto coo chef cio comercial commercial community company compliance compras comptabilite contabilidad contact contacto contato " +
	"contracts copyright crm cs customer customercare customers customerservice data dataprotection datenschutz dba deals demo design dev developer developers devops digital direction director dpo dns ecommerce editor editorial education einkauf email " +
	"empfang employment engineering enquiries enquiry event events everyone export fax feedback finance finances fraud ftp gdpr general gift giving grants group growth guest hallo hej hello help helpdesk hi hola home hosting hostmaster hr hrdepartment human humanresources " +
	"import impressum info infos information inquiries inquiry insurance intern international internet invest investor investors invoice invoices invoicing ir it itsupport jobs job karriere kontakt kundenservice lab legal library list lists log login logistics " +
	"mail mailbox mailer mailerdaemon mailing management manager mandate marketing media member members membership mgmt moderator monitoring news newsletter no nobody noc noreply no-reply donotreply do-not-reply nospam office officemanager ops operations order orders " +
	"owner partner partners partnership partnerships payables payments payroll personal post postbox postmaster pr presales press presse privacy procurement product products project projects promo purchase purchasing qa quality quotes reception recepcion rechnung " +
	"recruit recruiting recruiter recruitment register registrar registration reklamation remote report reports request research reservations reservation returns reviews rfp root rrhh rma sales sale school secretariat secretary security sekretariat seo server service services " +
	"shipping shop social spam sponsor sponsors sponsorship staff stats store student students studio subscribe subscriptions superuser supplier suppliers support survey sysadmin sys system systems team tech technical technik technology test tests testing tickets training travel " +
	"treasury undisclosed unsubscribe update updates usenet user users uucp ventas vendor vendors verkauf vertrieb verwaltung video visitor volunteer warehouse web webadmin webinar webinars webmaster webshop webteam welcome wholesale work worldwide www zentrale")

// RoleAccount reports whether a local part names a function and not a person: info, sales, hr.
// A number or a short tail behind it changes nothing: support2, info-uk.
func RoleAccount(local string) bool {
	l := strings.ToLower(local)
	if i := strings.IndexByte(l, '+'); i > 0 {
		l = l[:i]
	}
	l = strings.TrimRight(l, "0123456789")
	if roleLocals[l] {
		return true
	}
	head, tail, ok := strings.Cut(strings.NewReplacer("-", ".", "_", ".").Replace(l), ".")
	return ok && roleLocals[head] && (len(tail) <= 3 || roleLocals[tail])
}
