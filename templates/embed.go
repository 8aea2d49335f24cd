// Package templates holds the HTML of the pages and the texts of the mails.
package templates

import "embed"

// FS has every template. "all:" is there because the names of partials begin with an underscore.
//
//go:embed all:*
var FS embed.FS
