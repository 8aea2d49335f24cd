package web

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"beagle/app"
	"beagle/app/config"

	"github.com/stretchr/testify/require"
)

// lists is how many lists the owner has.
func (s *site) lists() int64 {
	_, _, total, err := s.Lists(s.t.Context(), s.owner.Account, "", 1)
	require.NoError(s.t, err)
	return total
}

func TestUploadWithoutUsableColumnIsRemovedAndSaysWhatWasSeen(t *testing.T) {
	s := newSite(t)
	auth := []string{"X-API-KEY", s.key(s.owner, false)}
	got := s.send(http.DefaultClient, "POST", "/v2/lists", form{filename: "a.csv", file: []byte("Colour,Weight\nred,3\nblue,4\n")}, auth...)
	require.Equal(t, http.StatusUnprocessableEntity, got.status, got.body)
	require.Contains(t, got.body, "no_usable_column")
	require.Contains(t, got.body, "Colour")
	require.Zero(t, s.lists())
	got = s.send(http.DefaultClient, "POST", "/v2/lists", form{filename: "a.csv", file: []byte("Colour,Weight\nred,3\n"), after: []string{"start", "false"}}, auth...)
	require.Equal(t, http.StatusCreated, got.status, got.body)
	require.Contains(t, got.body, `"state":"mapping"`)
	require.EqualValues(t, 1, s.lists())
}

func TestRequestsThatAreNoUploads(t *testing.T) {
	s := newSite(t)
	auth := []string{"X-API-KEY", s.key(s.owner, false)}
	for name, body := range map[string]any{
		"no body": nil, "no file": form{fields: []string{"name", "x"}}, "no records": `{"name":"x"}`, "no JSON": `{"name":`, "a nested record": `{"records":[{"a":{}}]}`,
		"a list for a record": `{"records":[[]]}`, "an unknown process": form{fields: []string{"process", "dance"}, filename: "a.csv", file: []byte(people)},
		"a mapping to nowhere": form{fields: []string{"mapping", `{"first_name":99}`}, filename: "a.csv", file: []byte(people)},
		"an unknown field":     form{fields: []string{"mapping", `{"shoe_size":1}`}, filename: "a.csv", file: []byte(people)},
		"too large a field":    form{fields: []string{"name", strings.Repeat("x", maxField+1)}, filename: "a.csv", file: []byte(people)},
	} {
		got := s.send(http.DefaultClient, "POST", "/v2/lists", body, auth...)
		require.GreaterOrEqual(t, got.status, 400, name)
		require.Less(t, got.status, 500, "%s: %s", name, got.body)
		require.Zero(t, s.lists(), name)
	}
}

// A client that sends everything before it listens must see why its upload was refused.
func TestEarlyRefusalReachesAClientThatStillSends(t *testing.T) {
	s := newSite(t, func(c *config.Config) { c.Upload.MaxBytes = 1 << 20 })
	for _, declared := range []bool{true, false} {
		conn, err := net.Dial("tcp", s.http.Listener.Addr().String())
		require.NoError(t, err)
		defer conn.Close()
		part := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n"
		chunk := strings.Repeat("Grace,Yates,onegate.example\n", 1<<20/28)
		length := "Transfer-Encoding: chunked"
		if declared {
			length = fmt.Sprintf("Content-Length: %d", len(part)+3*len(chunk)+len("\r\n--b--\r\n"))
		}
		out := bufio.NewWriter(conn)
		fmt.Fprintf(out, "POST /v2/lists HTTP/1.1\r\nHost: x\r\nX-API-KEY: %s\r\nContent-Type: multipart/form-data; boundary=b\r\n%s\r\n\r\n", s.key(s.owner, false), length)
		for _, piece := range []string{part, chunk, chunk, chunk, "\r\n--b--\r\n"} {
			if !declared {
				piece = fmt.Sprintf("%x\r\n%s\r\n", len(piece), piece)
			}
			_, err := out.WriteString(piece)
			require.NoError(t, err, "the server takes what is sent")
		}
		if !declared {
			_, err = out.WriteString("0\r\n\r\n")
			require.NoError(t, err)
		}
		require.NoError(t, out.Flush())
		got, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		text, err := io.ReadAll(got.Body)
		require.NoError(t, err)
		require.Equal(t, http.StatusRequestEntityTooLarge, got.StatusCode, string(text))
		require.Contains(t, string(text), "file_too_large")
	}
	require.Zero(t, s.lists())
}

func TestBrokenOffUploadLeavesNothing(t *testing.T) {
	s := newSite(t)
	conn, err := net.Dial("tcp", s.http.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	fmt.Fprintf(conn, "POST /v2/lists HTTP/1.1\r\nHost: x\r\nX-API-KEY: %s\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n\r\n"+
		"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n%s", s.key(s.owner, false), people)
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	got, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err == nil {
		require.Equal(t, http.StatusBadRequest, got.StatusCode)
	}
	require.Zero(t, s.lists())
}

func TestFieldsMayFollowTheFile(t *testing.T) {
	s := newSite(t)
	got := s.send(http.DefaultClient, "POST", "/v2/lists", form{filename: "a.csv", file: []byte("x,y,z\nGrace,Yates,onegate.example\n"),
		after: []string{"name", "After all", "process", "find_all", "has_header", "true", "mapping", `{"first_name":"x","last_name":1,"domain":"2"}`}}, "X-API-KEY", s.key(s.owner, false))
	require.Equal(t, http.StatusCreated, got.status, got.body)
	require.Contains(t, got.body, `"name":"After all","process":"find_all","state":"importing"`)
	require.Contains(t, got.body, `"mapping":{"domain":2,"first_name":0,"last_name":1}`)
}

func TestRecordsCanBePostedAsJSON(t *testing.T) {
	s := newSite(t)
	s.Work()
	key := s.key(s.owner, false)
	got := s.send(http.DefaultClient, "POST", "/v2/lists", `{"name":"Posted","process":"find","records":[
		{"first_name":"Grace","last_name":"Yates","domain":"onegate.example","id":17},{"domain":"nullarbor.test","first_name":null,"last_name":"Atall","extra":true}]}`, "X-API-KEY", key)
	require.Equal(t, http.StatusCreated, got.status, got.body)
	require.Contains(t, got.body, `"columns":["first_name","last_name","domain","id","extra"]`)
	lists, _, _, err := s.Lists(t.Context(), s.owner.Account, "", 1)
	require.NoError(t, err)
	l := s.WaitFor(s.owner, lists[0].Ref, app.List.Ended)
	got = s.send(http.DefaultClient, "GET", "/v2/lists/"+l.Ref+"/records", nil, "X-API-KEY", key)
	require.Contains(t, got.body, `"email":"grace.yates@onegate.example","status":"valid"`)
	require.Contains(t, got.body, `"id":"17"`)
	require.Contains(t, got.body, `"next_cursor":null`)
}

func FuzzMultipartNeverBreaksTheServer(f *testing.F) {
	f.Add("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nx\r\n--b--\r\n")
	f.Add("--b\r\nContent-Disposition: form-data; name=\"rows\"\r\n\r\nx")
	f.Add("")
	f.Fuzz(func(t *testing.T, body string) {
		r, err := http.NewRequest("POST", "/", strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
		p, err := readPosted(r, nil)
		if err != nil {
			return
		}
		if p.file != nil {
			_, _ = io.Copy(io.Discard, p.file)
		}
		_ = p.rest()
		require.LessOrEqual(t, len(p.fields), maxFields)
	})
}
