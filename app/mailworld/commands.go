package mailworld

import "strings"

// mustEndGroup are commands after which a pipelining client has to wait (RFC 2920 3.1).
var mustEndGroup = map[string]bool{"EHLO": true, "HELO": true, "QUIT": true, "NOOP": true, "DATA": true, "VRFY": true, "STARTTLS": true}

// obey answers one command line.
func (s *session) obey(line string) {
	verb, arg, _ := strings.Cut(line, " ")
	verb = strings.ToUpper(verb)
	if s.in.Buffered() > 0 && (!s.mayPipeline() || mustEndGroup[verb]) {
		s.fault("pipelined without leave", line)
	}
	if verb == s.host.manners.closesOn || s.first && verb == "MAIL" {
		s.over = true
		return
	}
	if s.refusing && verb != "QUIT" {
		s.fault("command after a refused greeting", line)
		s.reply("503 5.5.1 Bad sequence of commands", "")
		return
	}
	switch verb {
	case "EHLO", "HELO":
		s.hello(verb, arg, line)
	case "MAIL":
		s.mail(arg, line)
	case "RCPT":
		s.rcpt(arg, line)
	case "RSET":
		s.inMail = false
		s.reply("250 2.0.0 Ok", "")
	case "NOOP":
		s.reply("250 2.0.0 Ok", "")
	case "QUIT":
		s.reply("221 2.0.0 {host} closing connection", "")
		s.quit, s.over = true, true
	case "STARTTLS":
		s.startTLS(arg, line)
	case "DATA", "BDAT":
		s.run.data.Add(1)
		s.fault(verb+" used", line)
		s.reply("554 5.5.1 No mail is taken here", "")
	case "VRFY", "EXPN":
		s.fault(verb+" used", line)
		s.reply("252 2.5.2 Send some mail, I will try my best", "")
	default:
		s.fault("unknown command", line)
		s.reply("500 5.5.2 Command not recognised", "")
	}
}

func (s *session) mayPipeline() bool { return s.extended && s.host.voice.pipelining }

func (s *session) hello(verb, name, line string) {
	m := &s.host.manners
	if !validHello(name) {
		s.fault("no valid name in "+verb, line)
		s.reply("501 5.5.4 Syntax: "+verb+" hostname", "")
		return
	}
	if m.greetRefusal != "" {
		s.reply(m.greetRefusal, "")
		s.over = strings.HasPrefix(m.greetRefusal, "421")
		return
	}
	if verb == "EHLO" && m.heloOnly {
		s.reply("502 5.5.1 Command not implemented", "")
		return
	}
	s.greeted, s.extended, s.inMail = true, verb == "EHLO", false
	if verb == "HELO" {
		s.reply("250 {host}", "")
		return
	}
	lines := append([]string{"{host} at your service"}, s.host.voice.extensions...)
	if m.starttls && !s.secure {
		lines = append(lines, "STARTTLS")
	}
	s.reply("250-"+strings.Join(lines[:len(lines)-1], "\n250-")+"\n250 "+lines[len(lines)-1], "")
}

func (s *session) mail(arg, line string) {
	switch {
	case !s.greeted:
		s.fault("MAIL before EHLO", line)
		s.reply("503 5.5.1 Error: send HELO/EHLO first", "")
		return
	case s.inMail:
		s.fault("nested MAIL", line)
		s.reply("503 5.5.1 Error: nested MAIL command", "")
		return
	case s.host.manners.needsTLS && !s.secure:
		s.refused = true
		s.reply("530 5.7.0 Must issue a STARTTLS command first", "")
		return
	}
	path, params, fault := parsePath(arg, "FROM:")
	if fault == "" && path != "" && !validMailbox(path) {
		fault = "wrong address in MAIL"
	}
	if fault != "" {
		s.fault(fault, line)
		s.reply("501 5.1.7 Syntax: MAIL FROM:<address>", "")
		return
	}
	if !s.knowsAll(params) {
		s.fault("MAIL parameter that was not offered", line)
		s.reply("555 5.5.4 Unsupported option", "")
		return
	}
	if refusal := s.host.manners.mailRefusal; refusal != "" {
		s.refused = true
		s.reply(refusal, path)
		return
	}
	s.inMail, s.sender = true, path
	s.reply("250 2.1.0 Ok", "")
}

// knowsAll says whether every MAIL parameter belongs to an extension that was offered.
func (s *session) knowsAll(params []string) bool {
	for _, p := range params {
		key, _, _ := strings.Cut(strings.ToUpper(p), "=")
		extension := map[string]string{"SIZE": "SIZE", "BODY": "8BITMIME", "RET": "DSN", "ENVID": "DSN"}[key]
		if extension == "" || !s.extended || !s.offers(extension) {
			return false
		}
	}
	return true
}

func (s *session) offers(extension string) bool {
	for _, e := range s.host.voice.extensions {
		if e == extension || strings.HasPrefix(e, extension+" ") {
			return true
		}
	}
	return false
}

func (s *session) rcpt(arg, line string) {
	s.run.rcpts.Add(1)
	s.run.hosts[s.host.index].rcpts.Add(1)
	if !s.inMail {
		if !s.refused { // a group is sent before the reply to its MAIL (RFC 2920)
			s.fault("RCPT before MAIL", line)
		}
		s.reply("503 5.5.1 Error: need MAIL command", "")
		return
	}
	address, params, fault := parsePath(arg, "TO:")
	if fault == "" && !validMailbox(address) {
		fault = "wrong address in RCPT"
	}
	if fault != "" {
		s.fault(fault, line)
		s.reply("501 5.1.3 Syntax: RCPT TO:<address>", "")
		return
	}
	if len(params) > 0 {
		s.fault("RCPT parameter that was not offered", line)
		s.reply("555 5.5.4 Unsupported option", "")
		return
	}
	s.rcpts++
	text := s.judge(address, line)
	if text == dropsLine {
		s.over = true
		return
	}
	s.reply(text, address)
	if strings.HasPrefix(text, "421") {
		s.over = true
	}
}

// judge words the host's answer about one well-formed recipient.
func (s *session) judge(address, line string) string {
	m := &s.host.manners
	if m.rcptMax > 0 && s.rcpts > m.rcptMax {
		return either(m.rcptOver, "452 4.5.3 Error: too many recipients")
	}
	local, domain, _ := strings.Cut(address, "@")
	if !strings.EqualFold(domain, s.host.domain) {
		s.fault("RCPT for a domain of another host", line)
		return "554 5.7.1 <{address}>: Relay access denied"
	}
	if wait := s.greylist(address); wait != "" {
		return wait
	}
	box := s.host.boxes[strings.ToLower(local)]
	if m.rcpt != nil {
		return m.rcpt(s, address, box)
	}
	return s.host.voice.about(box)
}

func (s *session) startTLS(arg, line string) {
	if !s.host.manners.starttls || s.secure || arg != "" || !s.extended {
		s.fault("STARTTLS that was not offered", line)
		s.reply("502 5.5.1 Command not implemented", "")
		return
	}
	s.reply("220 2.0.0 Ready to start TLS", "")
	if s.in.Buffered() > 0 { // counted as pipelined; what follows must not be taken for a part of the TLS session
		s.in.Reset(s.conn)
	}
	s.upgrade()
}
