package sheet

import (
	"bytes"
	"strings"
)

// magics are the first bytes of files people upload by mistake, with what to
// tell them. XLSX and other ZIP archives are told apart in zipRefusal.
var magics = []struct{ prefix, what string }{
	{"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "an old Excel file (.xls) or one protected by a password. Open it in Excel and save it as .xlsx without a password, or as CSV"},
	{"%PDF-", "a PDF. Export the table as CSV or XLSX"},
	{"\x1F\x8B", "compressed (gzip). Unpack it first"},
	{"BZh", "compressed (bzip2). Unpack it first"},
	{"\xFD7zXZ\x00", "compressed (xz). Unpack it first"},
	{"\x28\xB5\x2F\xFD", "compressed (zstd). Unpack it first"},
	{"7z\xBC\xAF\x27\x1C", "a 7-Zip archive. Unpack it first"},
	{"Rar!\x1A\x07", "a RAR archive. Unpack it first"},
	{"\x89PNG\r\n\x1A\n", "a picture (PNG). Upload the table itself as CSV or XLSX"},
	{"\xFF\xD8\xFF", "a picture (JPEG). Upload the table itself as CSV or XLSX"},
	{"GIF8", "a picture (GIF). Upload the table itself as CSV or XLSX"},
	{"{\\rtf", "an RTF document. Save the table as CSV or XLSX"},
	{"SQLite format 3\x00", "a database (SQLite). Export the table as CSV"},
	{"PAR1", "a Parquet file. Export it as CSV"},
	{"\x7FELF", "a program"},
	{"\xFF\xFE\x00\x00", "text in UTF-32. Save it as CSV in UTF-8"},
	{"\x00\x00\xFE\xFF", "text in UTF-32. Save it as CSV in UTF-8"},
}

const zipMagic = "PK\x03\x04"

// IsXLSX says whether the beginning of a file looks like an XLSX workbook. Such
// a file is for SniffXLSX and NewXLSXReader, which look into it.
func IsXLSX(head []byte) bool {
	if !bytes.HasPrefix(head, []byte(zipMagic)) {
		return false
	}
	return bytes.Contains(head, []byte("xl/")) ||
		(bytes.Contains(head, []byte("[Content_Types].xml")) && !bytes.Contains(head, []byte("word/")) && !bytes.Contains(head, []byte("ppt/")))
}

// refuseMagic refuses files that are known not to be text by their first bytes.
func refuseMagic(head []byte) error {
	if bytes.HasPrefix(head, []byte(zipMagic)) {
		return zipRefusal(head)
	}
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.prefix)) {
			return refuse(NotASpreadsheet, "This file is %s.", m.what)
		}
	}
	return nil
}

func zipRefusal(head []byte) error {
	what := "a ZIP archive. Unpack it and upload the CSV or XLSX file in it"
	switch {
	case IsXLSX(head):
		what = "an Excel workbook, but was read as text. Upload it with the ending .xlsx"
	case bytes.Contains(head, []byte("opendocument.spreadsheet")):
		what = "an OpenDocument spreadsheet (.ods). Save it as XLSX or CSV"
	case bytes.Contains(head, []byte("word/")):
		what = "a Word document. Save the table as CSV or XLSX"
	case bytes.Contains(head, []byte("ppt/")):
		what = "a PowerPoint file. Save the table as CSV or XLSX"
	case bytes.Contains(head, []byte("Index/Document.iwa")):
		what = "an Apple Numbers file. Export it as CSV or Excel"
	}
	return refuse(NotASpreadsheet, "This file is %s.", what)
}

// refuseDocument refuses text that is a document of another kind.
func refuseDocument(text []byte) error {
	start := strings.ToLower(string(bytes.TrimSpace(text[:min(len(text), 512)])))
	for _, tag := range []string{"<!doctype html", "<html", "<head", "<body", "<table"} {
		if strings.HasPrefix(start, tag) {
			return refuse(NotASpreadsheet, "This file is a web page, not a table: perhaps the sign-in page of the tool you downloaded it from. Export it again as CSV or XLSX.")
		}
	}
	switch {
	case strings.HasPrefix(start, "<?xml"):
		return refuse(NotASpreadsheet, "This file is XML. Save it as CSV or XLSX.")
	case strings.HasPrefix(start, "begin:vcard"):
		return refuse(NotASpreadsheet, "This file holds contact cards (vCard). Export the contacts as CSV.")
	}
	return nil
}

// maxControls is the share of control characters, in percent, above which text
// is taken for binary data.
const maxControls = 2

// refuseBinary refuses decoded text that is full of control characters.
func refuseBinary(text []byte) error {
	controls := 0
	for _, c := range text {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != '\v' {
			controls++
		}
	}
	if controls*100 > len(text)*maxControls {
		return refuse(NotASpreadsheet, "This file is not text but binary data. Save the table as CSV or XLSX and upload that.")
	}
	return nil
}
