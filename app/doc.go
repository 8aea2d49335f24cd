// Package app is the product: everything that knows lists, records and accounts. What does not know them is in the small packages
// under it (sheet, finder, probe, files, db), and what knows HTTP is in web.
//
// The way of a row:
//
//	Upload (upload.go)   streams the file to storage, looks at its first MiB and makes a List in state mapping
//	Start (start.go)     keeps the user's mapping and queues the import
//	Import (import.go)   reads the file and commits records in batches together with its position
//	Feed (feed.go)       keeps the queue a second ahead of the workers, list by list and account by account in turn
//	Lookup (lookup.go)   one job per record: asks the finder, hands the answer to the settler
//	settle (settle.go)   commits answers in groups: records, counters, charges, what was learned
//	endIfDone            the last answer of a list queues the export
//	Export (export.go)   streams the records, original cells first, into a result file
//	Download             the file, or the records as they are now
//
// The database is the truth and the queue only dispatches (jobs.go): Sweep (sweep.go) finds what the queue lost, and the
// attempt number of a record is the fence that lets only the first answer in.
package app
