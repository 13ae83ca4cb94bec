package client

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/wharfinger/wharfinger/client/flow"
	"github.com/wharfinger/wharfinger/client/pace"
	"github.com/wharfinger/wharfinger/client/straight"
)

// DefaultGiveUpAfter is how long a transfer goes on without any progress. It
// covers a restart of the server.
const DefaultGiveUpAfter = 10 * time.Minute

// Options say how to reach a server. Only BaseURL must be set.
type Options struct {
	// BaseURL is the address of the site, with or without /api/v4.
	BaseURL string
	// HTTPClient sends the requests. It must not have a Timeout, which would
	// end long transfers: a stalled one is noticed here. Its Transport carries
	// requests to stores too, without its cookies and our tokens: it must not
	// add credentials of its own. Nil: one made for transfers.
	HTTPClient *http.Client
	// Tokens keeps the pair of tokens. Nil: in memory.
	Tokens TokenStore
	// Credentials is asked when there is no token or the server no longer takes
	// it. Nil: the call fails, see [IsAuth].
	Credentials func(context.Context) (Credentials, error)
	// StallAfter ends an attempt on whose connection no byte has moved for that
	// long. 0: DefaultStallAfter.
	StallAfter time.Duration
	// Pace is what is known of the way to the server: how large bodies may be,
	// how many at once are best. Nil: nothing yet.
	Pace *pace.Pace
	// UserAgent names the program.
	UserAgent string
	// Clock is for tests. Nil: the real one.
	Clock Clock
}

// Clock is time as the client sees it.
type Clock interface {
	Now() time.Time
	// Sleep returns early with the context's error when it ends.
	Sleep(ctx context.Context, d time.Duration) error
}

// Client talks to one server as one user. Its methods may be called by many
// goroutines at once.
type Client struct {
	site *url.URL
	http *http.Client
	// stores is for addresses of stores: it is sent no token, and follows nobody
	// elsewhere.
	stores *http.Client
	agent  string
	clock  Clock
	stall  time.Duration
	pace   *pace.Pace
	auth   *auth
	barred straight.Barred
}

// New makes a client. It sends nothing.
func New(o Options) (*Client, error) {
	site, err := parseSite(o.BaseURL)
	if err != nil {
		return nil, err
	}
	c := &Client{site: site, http: o.HTTPClient, agent: o.UserAgent, clock: o.Clock, stall: o.StallAfter}
	if c.http == nil {
		c.http = &http.Client{Transport: NewTransport()}
	}
	c.stores = &http.Client{Transport: c.http.Transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	if c.agent == "" {
		c.agent = "wharfinger-go"
	}
	if c.stall <= 0 {
		c.stall = DefaultStallAfter
	}
	if c.clock == nil {
		c.clock = flow.Clock{}
	}
	if c.pace = o.Pace; c.pace == nil {
		c.pace = pace.New(pace.Options{Now: c.clock.Now})
	}
	c.auth = newAuth(c, o.Tokens, o.Credentials)
	return c, nil
}

// NewTransport makes a transport for transfers: HTTP/1.1, because many chunks
// at once are faster and stall apart from each other on connections of their
// own, and enough of these to keep.
func NewTransport() *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 15 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout:   15 * time.Second,
		MaxIdleConnsPerHost:   64,
		IdleConnTimeout:       60 * time.Second,
		ExpectContinueTimeout: time.Second,
		DisableCompression:    true,
		WriteBufferSize:       256 << 10,
		ReadBufferSize:        64 << 10,
		Protocols:             protocols,
	}
}

// Site is the address of the site, without /api/v4.
func (c *Client) Site() string { return c.site.String() }

func parseSite(base string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(base))
	if err != nil {
		return nil, fmt.Errorf("client: address of the server: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("client: %q is not an address like https://files.example.org", base)
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("client: the address of the server must be without user, ? and #")
	}
	u.Path = strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/api/v4")
	u.RawPath = ""
	return u, nil
}

// endpoint is the address of an API path, whose segments are escaped already.
func (c *Client) endpoint(path string, query url.Values) string {
	s := c.site.String() + "/api/v4" + path
	if len(query) > 0 {
		s += "?" + query.Encode()
	}
	return s
}

// DefaultStallAfter is how long a connection may move no byte.
const DefaultStallAfter = time.Minute

// NewLimiter makes a limiter of bytes per second for transfers.
func NewLimiter(bytesPerSecond int64) *rate.Limiter {
	burst := min(max(bytesPerSecond/8, 1), 64<<10)
	return rate.NewLimiter(rate.Limit(bytesPerSecond), int(burst))
}
