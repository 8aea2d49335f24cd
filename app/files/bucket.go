package files

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// ensureBucket creates the bucket if it is missing.
func (s *Store) ensureBucket(ctx context.Context) error {
	err := s.checkBucket(ctx)
	if !errors.Is(err, errNoBucket) {
		return err
	}
	in := &s3.CreateBucketInput{Bucket: &s.bucket}
	if s.region != defaultRegion {
		in.CreateBucketConfiguration = &types.CreateBucketConfiguration{
			LocationConstraint: types.BucketLocationConstraint(s.region),
		}
	}
	var ours *types.BucketAlreadyOwnedByYou
	if _, made := s.s3.CreateBucket(ctx, in); made != nil && !errors.As(made, &ours) {
		// Another process may have been quicker under a store that answers with the plain conflict.
		if s.checkBucket(ctx) == nil {
			return nil
		}
		return fmt.Errorf("%w, and cannot be created: %w", err, root(made))
	}
	return nil
}

var errNoBucket = errors.New("does not exist")

// checkBucket is one cheap question; only a refusal, whose HEAD has no text, is asked again with GET.
func (s *Store) checkBucket(ctx context.Context) error {
	_, err := s.s3.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &s.bucket})
	if status(err) == http.StatusForbidden {
		_, err = s.s3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &s.bucket, MaxKeys: aws.Int32(1)})
	}
	return s.bucketError(err)
}

// bucketError turns what S3 or the network said into a sentence that names the setting to look at.
func (s *Store) bucketError(err error) error {
	if err == nil {
		return nil
	}
	said := root(err)
	switch status(err) {
	case 0:
		return fmt.Errorf("S3 endpoint %s cannot be reached: %w", s.where, said)
	case http.StatusNotFound:
		return fmt.Errorf("S3 bucket %q at %s %w", s.bucket, s.where, errNoBucket)
	case http.StatusForbidden, http.StatusUnauthorized:
		return fmt.Errorf("S3 bucket %q at %s refuses these credentials: %w", s.bucket, s.where, said)
	case http.StatusMovedPermanently, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return fmt.Errorf("S3 bucket %q at %s is in another region than %s: %w", s.bucket, s.where, s.region, said)
	}
	return fmt.Errorf("S3 bucket %q at %s: %w", s.bucket, s.where, said)
}

// status is the HTTP status of an answer, 0 if there was none.
func status(err error) int {
	var answer *awshttp.ResponseError
	if errors.As(err, &answer) {
		return answer.HTTPStatusCode()
	}
	return 0
}

// root is the part of an SDK error that tells something: the code of the store or the network's word.
func root(err error) error {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return context.DeadlineExceeded
	}
	var dial *net.OpError
	if errors.As(err, &dial) {
		return dial
	}
	return err
}

// fileError says what was being done to which file, and maps every form of "not there" to ErrNotFound.
func fileError(doing, key string, err error) error {
	var api smithy.APIError
	if errors.As(err, &api) && (api.ErrorCode() == "NoSuchKey" || api.ErrorCode() == "NotFound") {
		return fmt.Errorf("%s %s: %w", doing, key, ErrNotFound)
	}
	return fmt.Errorf("%s %s: %w", doing, key, err)
}
