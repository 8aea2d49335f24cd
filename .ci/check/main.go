// Command check holds the built binary to what it promises on its example.
//
//	check result IN.csv OUT.csv   OUT is IN with the answers appended
//	check up BINARY DIR           `BINARY up --demo` serves, and ends well
package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	leastValid   = 0.60 // share of rows whose status is valid
	startTimeout = 60 * time.Second
	stopTimeout  = 40 * time.Second
	askTimeout   = 5 * time.Second
	pageLimit    = 1 << 20 // bytes
)

func main() {
	err := errors.New("usage: check result IN.csv OUT.csv | check up BINARY DIR")
	if len(os.Args) == 4 {
		switch os.Args[1] {
		case "result":
			err = checkResult(os.Args[2], os.Args[3])
		case "up":
			err = checkUp(os.Args[2], os.Args[3])
		}
	}
	if err != nil {
		fmt.Println("FAIL:", err)
		os.Exit(1)
	}
}

// appended are the columns of the answers; one that the file already has gets the prefix found_.
var appended = []string{"email", "status", "score", "pattern", "reason", "checked_at"}

func checkResult(inName, outName string) error {
	in, err := readCSV(inName)
	if err != nil {
		return err
	}
	out, err := readCSV(outName)
	if err != nil {
		return err
	}
	if len(in) < 2 || len(out) != len(in) {
		return fmt.Errorf("%s has %d lines, %s has %d", inName, len(in), outName, len(out))
	}
	width := len(in[0])
	for i, row := range out {
		if len(row) != width+len(appended) {
			return fmt.Errorf("%s, line %d has %d cells, want %d", outName, i+1, len(row), width+len(appended))
		}
		if !slices.Equal(row[:width], in[i]) {
			return fmt.Errorf("%s, line %d begins with %q, want %q", outName, i+1, row[:width], in[i])
		}
	}
	for i, name := range appended {
		if got := out[0][width+i]; got != name && got != "found_"+name {
			return fmt.Errorf("column %d of %s is %q, want %q", width+i+1, outName, got, name)
		}
	}
	return checkAnswers(out[1:], width)
}

// checkAnswers looks at each row's address, status and score, and at how many are valid.
func checkAnswers(rows [][]string, width int) error {
	valid := 0
	for i, row := range rows {
		email, status, score := row[width], row[width+1], row[width+2]
		if status == "" {
			return fmt.Errorf("row %d has no status", i+1)
		}
		if status != "valid" {
			continue
		}
		valid++
		if n, err := strconv.Atoi(score); err != nil || n < 1 || n > 100 || !strings.Contains(email, "@") {
			return fmt.Errorf("row %d is valid with address %q and score %q", i+1, email, score)
		}
	}
	if share := float64(valid) / float64(len(rows)); share < leastValid {
		return fmt.Errorf("%d of %d rows are valid, want %.0f %%", valid, len(rows), 100*leastValid)
	}
	fmt.Printf("ok: %d rows in order, %d valid\n", len(rows), valid)
	return nil
}

func readCSV(name string) ([][]string, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(b, []byte("\ufeff"))))
	r.FieldsPerRecord = -1
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return rows, nil
}

func checkUp(binary, dir string) (err error) {
	port, err := freePort()
	if err != nil {
		return err
	}
	var said bytes.Buffer
	cmd := exec.Command(binary, "up", "--demo", "--port", strconv.Itoa(port), "--data", dir)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		return err
	}
	var exit error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		exit = cmd.Wait()
	}()
	defer func() {
		if err != nil {
			_ = cmd.Process.Kill()
			<-ended
			err = fmt.Errorf("%w\n%s", err, said.String())
		}
	}()
	base := fmt.Sprintf("http://127.0.0.1:%d", port)
	if err := healthy(base, ended); err != nil {
		return err
	}
	if err := signInPage(base); err != nil {
		return err
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	select {
	case <-ended:
		if exit != nil {
			return fmt.Errorf("ended with %w after SIGINT", exit)
		}
	case <-time.After(stopTimeout):
		return fmt.Errorf("still running %s after SIGINT", stopTimeout)
	}
	fmt.Println("ok: up serves and stops")
	return nil
}

func healthy(base string, ended <-chan struct{}) error {
	deadline := time.Now().Add(startTimeout)
	for {
		_, err := ask(base + "/healthz")
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not healthy in %s: %w", startTimeout, err)
		}
		select {
		case <-ended:
			return fmt.Errorf("ended at start: %w", err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func signInPage(base string) error {
	page, err := ask(base + "/sign-in")
	if err != nil {
		return err
	}
	if !strings.Contains(page, `type="password"`) {
		return errors.New("/sign-in does not ask for a password")
	}
	return nil
}

func ask(url string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, pageLimit))
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s", url, res.Status)
	}
	return string(body), err
}

func freePort() (int, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return ln.Addr().(*net.TCPAddr).Port, ln.Close()
}
