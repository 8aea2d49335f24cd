// Package static holds the files that browsers load: styles, scripts and images.
package static

import "embed"

// FS has every file; web serves them under names with a hash.
//
//go:embed *
var FS embed.FS
