package files

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const (
	dialTimeout   = 10 * time.Second
	maxTries      = 3
	maxBackoff    = 5 * time.Second
	defaultRegion = "us-east-1"
)

func newStore(ctx context.Context, c Config) (*Store, error) {
	if c.Bucket == "" {
		return nil, errors.New("S3 bucket is not named")
	}
	where := "AWS"
	if c.Endpoint != "" {
		u, err := url.Parse(c.Endpoint)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return nil, fmt.Errorf("S3 endpoint %q is not an http(s) URL", c.Endpoint)
		}
		where = u.Scheme + "://" + u.Host
	}
	if c.Stall <= 0 {
		c.Stall = DefaultStall
	}
	cfg, err := loadConfig(ctx, c)
	if err != nil {
		return nil, err
	}
	client := s3.NewFromConfig(cfg, func(o *s3.Options) {
		if c.Endpoint != "" {
			o.BaseEndpoint = &c.Endpoint
		}
		o.UsePathStyle = c.PathStyle
		// Ranges and other vendors' answers carry no checksum; that is no news.
		o.DisableLogOutputChecksumValidationSkipped = true
	})
	s := &Store{
		bucket: c.Bucket, where: where, embedded: strings.HasPrefix(c.AccessKey, embeddedKey), region: cfg.Region,
		s3: client, sign: s3.NewPresignClient(client), idle: func() {},
	}
	s.transfer = newTransfer(client, cfg.RequestChecksumCalculation)
	if h, ok := cfg.HTTPClient.(interface{ CloseIdleConnections() }); ok {
		s.idle = h.CloseIdleConnections
	}
	return s, nil
}

// loadConfig resolves region and credentials now, so that a missing one stops the start.
func loadConfig(ctx context.Context, c Config) (aws.Config, error) {
	opts := []func(*config.LoadOptions) error{
		config.WithHTTPClient(httpClient(c.Stall)),
		config.WithRetryer(func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.MaxAttempts, o.MaxBackoff = maxTries, maxBackoff
			})
		}),
	}
	if c.Region != "" {
		opts = append(opts, config.WithRegion(c.Region))
	}
	switch {
	case c.AccessKey != "" && c.SecretKey != "":
		opts = append(opts, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(c.AccessKey, c.SecretKey, "")))
	case c.AccessKey != "" || c.SecretKey != "":
		return aws.Config{}, errors.New("S3 credentials need both the access key and the secret key")
	}
	cfg, err := config.LoadDefaultConfig(ctx, opts...)
	if err != nil {
		return aws.Config{}, fmt.Errorf("reading the S3 configuration: %w", err)
	}
	if cfg.Region == "" {
		cfg.Region = defaultRegion
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return aws.Config{}, fmt.Errorf("no S3 credentials found: %w", err)
	}
	if b, ok := cfg.HTTPClient.(*awshttp.BuildableClient); ok {
		cfg.HTTPClient = b.Freeze() // one connection pool, whose idle connections Close can drop
	}
	return cfg, nil
}

func newTransfer(client *s3.Client, sums aws.RequestChecksumCalculation) *transfermanager.Client {
	return transfermanager.New(client, func(o *transfermanager.Options) {
		o.PartSizeBytes = partSize
		o.MultipartUploadThreshold = partSize
		o.Concurrency = partsAtOnce
		o.FailTimeout = abortTimeout
		o.RequestChecksumCalculation = sums
	})
}

func httpClient(stall time.Duration) *awshttp.BuildableClient {
	dialer := &net.Dialer{Timeout: dialTimeout}
	return awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.IdleConnTimeout = stall
		t.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return &stallConn{Conn: conn, stall: stall}, nil
		}
	})
}

// stallConn fails when nothing moves in either direction for the stall time. A deadline on the whole
// call would cut long transfers that are doing well.
type stallConn struct {
	net.Conn
	stall time.Duration
}

func (c *stallConn) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.stall)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

// Write moves the reader's deadline too: the transport waits for the answer from before the request is sent.
func (c *stallConn) Write(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.stall)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}
