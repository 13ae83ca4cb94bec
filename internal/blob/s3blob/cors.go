package s3blob

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/wharfinger/wharfinger/internal/blob"
)

var _ blob.Origins = (*driver)(nil)

// ruleID names our rule among those of a bucket.
const ruleID = "wharfinger"

// corsAge is how long browsers may keep the answer to a preflight, in seconds.
const corsAge = 3600

// AllowOrigins reads the bucket's rules and writes them back with ours: the store
// knows only the whole list (PutBucketCors).
func (d *driver) AllowOrigins(ctx context.Context, origins []string) error {
	rules, err := d.corsRules(ctx)
	if err != nil {
		return err
	}
	id, age := ruleID, int32(corsAge)
	rules = slices.DeleteFunc(rules, func(r types.CORSRule) bool { return r.ID != nil && *r.ID == id })
	rules = append(rules, types.CORSRule{
		ID: &id, AllowedOrigins: origins, AllowedMethods: []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPost},
		AllowedHeaders: []string{"*"}, ExposeHeaders: []string{"ETag"}, MaxAgeSeconds: &age,
	})
	_, err = d.api.PutBucketCors(ctx, &s3.PutBucketCorsInput{
		Bucket: d.bucket, CORSConfiguration: &types.CORSConfiguration{CORSRules: rules},
	}, summed)
	return d.fault(ctx, "set the CORS rules", err)
}

func (d *driver) corsRules(ctx context.Context) ([]types.CORSRule, error) {
	out, err := d.api.GetBucketCors(ctx, &s3.GetBucketCorsInput{Bucket: d.bucket})
	err = d.fault(ctx, "read the CORS rules", err)
	var f *fault
	switch {
	case errors.As(err, &f) && f.Status == http.StatusNotFound && f.Code != "NoSuchBucket":
		return nil, nil // there are none yet
	case err != nil:
		return nil, err
	}
	return out.CORSRules, nil
}
