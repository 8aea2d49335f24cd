package services

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const cleanTimeout = 30 * time.Second

// removeBucket empties and deletes a bucket of a store that outlives the tests.
func removeBucket(t testing.TB, c S3Config) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), cleanTimeout)
	defer cancel()
	client := s3.New(s3.Options{
		BaseEndpoint: &c.Endpoint, Region: c.Region, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(c.AccessKey, c.SecretKey, ""),
	})
	if _, err := client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &c.Bucket}); err != nil {
		return // the test never made it
	}
	if err := emptyBucket(ctx, client, c.Bucket); err != nil {
		t.Logf("emptying the test bucket: %v", err)
		return
	}
	if _, err := client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &c.Bucket}); err != nil {
		t.Logf("deleting the test bucket: %v", err)
	}
}

func emptyBucket(ctx context.Context, client *s3.Client, bucket string) error {
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: &bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, o := range page.Contents {
			if _, err := client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: o.Key}); err != nil {
				return err
			}
		}
	}
	return nil
}
