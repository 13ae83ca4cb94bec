package admin

import (
	"slices"
	"strconv"
	"strings"

	"github.com/wharfinger/wharfinger/api/wire"
	rules "github.com/wharfinger/wharfinger/internal/admin"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/door/desk"
)

// Bounds of a page.
const (
	usualPage = 50
	mostPage  = 200
	mostPages = 10_000
)

// query reads what a list is asked for. Of conditions it takes those that are named;
// another is refused, because a list that ignores it would say what is not so.
func query(q *desk.Call, conditions ...string) (rules.Query, error) {
	var in wire.AdminListRequest
	if err := desk.Bind(q, &in); err != nil {
		return rules.Query{}, err
	}
	out := rules.Query{Page: max(in.Page, 1) - 1, Size: min(in.PageSize, mostPage)}
	if in.PageSize <= 0 {
		out.Size = usualPage
	}
	if in.Page < 0 || in.Page > mostPages {
		return out, desk.Bad("Page is from 1 to 10000")
	}
	switch in.OrderBy {
	case "", "id", "created_at":
	default:
		return out, desk.Bad("Lists are ordered by id or created_at")
	}
	switch strings.ToLower(in.OrderDirection) {
	case "", "desc":
	case "asc":
		out.Up = true
	default:
		return out, desk.Bad("OrderDirection is asc or desc")
	}
	if in.NextToken != "" {
		past, err := strconv.ParseInt(in.NextToken, 10, 64)
		if err != nil || past < 1 {
			return out, desk.Bad("NextToken is not of this list")
		}
		out.Past = past
	}
	for name, value := range in.Conditions {
		if value == "" {
			continue
		}
		if !slices.Contains(conditions, name) || !condition(&out, name, value) {
			return out, desk.Bad("This list takes no condition " + strconv.Quote(name) + " of that value")
		}
	}
	return out, nil
}

// condition reads one condition; false for a value it does not take.
func condition(q *rules.Query, name, value string) bool {
	n, err := strconv.ParseInt(value, 10, 64)
	isID := err == nil && n > 0
	switch name {
	case "words":
		q.Words = value
		return len(value) <= 255
	case "owner":
		setID(&q.Owner, n)
		return isID
	case "policy":
		setID(&q.Policy, n)
		return isID
	case "group":
		setID(&q.Group, n)
		return isID
	case "status":
		q.Status = catalog.Status(value)
		return q.Status == catalog.Active || q.Status == catalog.Inactive || q.Status == catalog.Banned
	case "damaged":
		q.Broken = value == "true"
		return q.Broken || value == "false"
	}
	return false
}

func setID[T ~int64](field *T, n int64) { *field = T(n) }

// paged is the pagination of an answer.
func paged[T any](q rules.Query, p rules.Page[T]) wire.AdminPagination {
	out := wire.AdminPagination{Page: q.Page, PageSize: q.Size, TotalItems: p.Total}
	if p.Next != 0 {
		out.NextToken = strconv.FormatInt(p.Next, 10)
	}
	return out
}

// each turns the items of a page.
func each[T, V any](items []T, turn func(T) V) []V {
	out := make([]V, len(items))
	for i, v := range items {
		out[i] = turn(v)
	}
	return out
}
