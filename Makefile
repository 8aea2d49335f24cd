.PHONY: help build run test test-mta drill fuzz fuzz-readers deploycheck screenshots tools fmt clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

build: ## bin/beagle
	go build -trimpath -o bin/beagle ./cmd/beagle

run: build ## everything in one process, with a simulated mail world
	bin/beagle up --demo

test: ## vet, format and race tests on real services; installs what is missing on Debian as root
	@.ci/test

test-mta: ## the prober against real mail servers on loopback, Postfix and Haraka; as root, installs them on Debian
	@.ci/test-mta

drill: tools ## break things on purpose, with real processes on real services; prints a table (about twenty minutes)
	go test -tags drill -v -count=1 -timeout 30m ./app/drill

# go test -fuzz would instrument every package, the embedded database too: minutes of compiling, and 16 inputs a second.
fuzz: ## random bytes to every parameter of the API for two minutes; what fails is kept in web/testdata/fuzz
	go test -c -gcflags='beagle/...=-d=libfuzzer' -o bin/fuzz.test ./web
	cd web && ../bin/fuzz.test -test.run '^$$' -test.fuzz FuzzAPI -test.fuzztime 2m -test.fuzzminimizetime 10x -test.parallel 1 -test.fuzzcachedir "$(CURDIR)/bin/fuzz"

fuzz-readers: ## a minute each of hostile DNS servers, DNS answers, SMTP replies and names; what fails is kept in testdata/fuzz of its package
	for target in app/probe/FuzzHostileDNS app/probe/FuzzDNSAnswer app/probe/FuzzReadReply app/finder/FuzzParseName; do \
		go test "./$${target%/*}" -run '^$$' -fuzz "^$${target##*/}\$$" -fuzztime 1m -fuzzminimizetime 10x -parallel 1 || exit 1; done

deploycheck: ## hold docs/deploy against the Compose specification and the Kubernetes API
	cd .ci/deploycheck && go run . "$(CURDIR)/docs/deploy"

screenshots: ## docs/screenshots: every page in a headless Chromium
	SCREENSHOTS="$(CURDIR)/docs/screenshots" go test -count=1 -run TestEveryPageInTheBrowserIsAccessibleFitsAndIsSmall ./web

tools: ## the S3 server that tests use, into the user's cache
	@.ci/build-tools

fmt: ## format the code
	gofmt -w app cmd migrations static templates web .ci/check

clean: ## remove what build made; data stays
	rm -rf bin
