// Package finder turns a person's name and a mail domain into a verified address, or says in one of
// several ways that it cannot be known.
//
// The way of a question: ParseName reads the name into weighted ways of writing each of its parts;
// the grammar (Templates) and what is known of the domain (Known, over measured priors) rank the
// addresses they make; the Prober is asked in rank order until an answer can be trusted; the rule
// that decided, and everything it was decided from, goes into Result.Evidence.
//
// The package has no database and no sockets: what is remembered comes through Memory, what is
// asked goes through Prober. It keeps a small bounded overlay of its own so that the next row on a
// domain profits from this one before the database does.
package finder
