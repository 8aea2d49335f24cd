FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags="-s -w" -o /app/bin/beagle ./cmd/beagle \
 && mkdir /data

FROM gcr.io/distroless/static-debian12:nonroot
# Paths are those of the Procfile: bin/beagle web | worker | clock | migrate.
WORKDIR /app
COPY --from=build /app/bin/beagle bin/beagle
# For `up --data /data`, with BIND_ADDRESS=0.0.0.0; the other commands keep nothing on disk.
COPY --from=build --chown=nonroot:nonroot /data /data
ENV PORT=3000
EXPOSE 3000
ENTRYPOINT ["/app/bin/beagle"]
CMD ["web"]
