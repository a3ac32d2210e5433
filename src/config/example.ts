/**
 * The example that `holdfast config example` prints: every setting with its default. It is a valid
 * configuration as it stands. Settings without a default are commented out as `//"key"`, without a
 * space, so that a test can take the comment away and check them too.
 */
export const EXAMPLE_CONFIG = `// Holdfast configuration (JSON with comments; YAML works as well).
// What is set here is the default, unless a comment says otherwise; leave out what you do not need.
// Durations: "250ms", "5s", "2m", "1h", "1d". Every string may hold \${NAME}, the value of an
// environment variable; one that is not set is an error. $\${ is a literal \${.
// Relative file paths are relative to this file. Check it with: holdfast config check FILE
{
  // For editors: write it with  holdfast config schema > holdfast.schema.json
  //"$schema": "./holdfast.schema.json",

  // HOST:PORT; "0.0.0.0:8787" is every IPv4 address, "[::]:8787" every address.
  "listen": "127.0.0.1:8787",

  // Who is asked, by name. Default: none.
  "backends": {
    "core": {
      "transport": "json-rpc",
      "url": "http://127.0.0.1:9090/rpc",
      //"headers": { "authorization": "Bearer \${CORE_TOKEN}" },

      // How it is reached: "none" is straight, "environment" as http_proxy, https_proxy, all_proxy
      // and no_proxy say; or a proxy's URL. Loopback addresses never go through one.
      "proxy": "none",
      // Sources of one pace are polled in one request, where the server takes batches.
      "batch": false,
      // One call may take this long, retries included.
      "timeout": "5s",
      // "attempts" counts the first call too; waits are exponential, with full jitter.
      "retry": { "attempts": 2, "min": "100ms", "max": "2s" },
      // So many unavailable answers in a row open the breaker; failed trials double the time.
      "breaker": { "failures": 3, "open_for": "30s", "max_open_for": "5m" },
      // Asked while the breaker is open; an answer closes it, a rejection does not. Without a
      // "method" it asks what the source asks that found the backend unavailable last.
      "health_check": {
        //"method": "GetSystemStatus",
        "every": "10s",
        "timeout": "5s"
      },
      // Calls at a time, over all sources; further polls wait for their turn.
      "max_in_flight": 8,
      // Largest response body, in bytes.
      "max_response_bytes": 8388608
    },
    // This machine itself: methods GetSystemStatus and GetStorage.
    "this_machine": { "transport": "host" }

    // GET url + method; the JSON body is the value. Redirects may lead to the "same_host", "any" or
    // "none"; headers never go along to another origin.
    //,"files": {
    //"transport": "http-json", "url": "https://files.example.com/api/", "redirects": "same_host"
    //}

    // Server-sent events, for sources with "stream": true.
    //,"plant": { "transport": "sse", "url": "https://plant.example.com/api" }

    // gRPC; http:// is plaintext, https:// is TLS. "tls" is needed only for authorities of
    // your own and client certificates.
    //,"jobs": {
    //"transport": "grpc", "url": "https://jobs.example.com:50051", "proto": "jobs.proto",
    //"tls": { "ca": "ca.pem", "cert": "client.pem", "key": "client.key" },
    //"health_check": { "method": "grpc.health.v1.Health/Check" }
    //}
  },

  // What is asked, and the channel that each answer feeds. Default: none, publish only.
  "sources": [
    {
      "channel": "system_status",
      "backend": "core",
      "method": "GetSystemStatus",
      "params": {},
      "every": "5s",
      // Default: 15s, or three times "every" where that is longer.
      "stale_after": "15s"
      // For the page: its title, its group, what its numbers count where their names do not tell, and
      // its place (lower comes first). Default: the channel's name, no group, and this file's order.
      //,"title": "Mail server", "group": "Machines", "unit": "°C", "order": 10
    },
    { "channel": "storage_update", "backend": "this_machine", "method": "GetStorage" }

    // One poll, several channels: a JMESPath expression (jmespath.site) selects each one's value.
    //,{
    //"backend": "files", "method": "all",
    //"channels": { "queue_status": "queues", "disk_status": "disks[].{name: name, used: used_ratio}" }
    //}

    // "select" does so for a single channel. Of http-json: POST sends "params" as a JSON body. Headers replace the backend's.
    //,{
    //"channel": "search_status", "backend": "files", "method": "search", "select": "results.total",
    //"http_method": "POST", "params": { "q": "failed" }, "headers": { "x-tenant": "blue" }
    //}

    // Of grpc and sse: values that come by themselves, each message one. "every" is the pace at which
    // clients are told that the last one is stale; see docs/streams.md.
    //,{
    //"channel": "plant_status", "backend": "plant", "method": "/events", "stream": true,
    //"stale_after": "1m"
    //}
  ],

  // Status channels that are published on by POST /publish. Those named system_status,
  // storage_update, agent_status and compression_update need not be listed. Default: none.
  //"channels": {
  // Older than this, a value is stale: PUBLISHER_SILENT. Default: never.
  //"backup_status": { "stale_after": "26h", "title": "Backup", "group": "Nightly" }
  //},

  // What outlives the process: last values, history, incidents, undelivered hooks. Default: systemd's
  // StateDirectory where there is one, else memory alone.
  "state": {
    //"dir": "/var/lib/holdfast",
    // How long incidents are kept.
    "incidents_for": "90d"
  },

  // Threads that serve clients, for one that is not enough; "auto" is one a core.
  "workers": 1,

  // Who is told of incidents; see docs/hooks.md for Slack, Alertmanager and others. Default: nobody.
  //"hooks": [
  //{
  //"name": "ops", "url": "https://ops.example.com/holdfast", "secret": "\${HOOK_SECRET}",
  // Of what, and of which; patterns such as "agent_*" are allowed.
  //"on": ["down", "up", "stale", "fresh"], "backends": ["*"], "channels": ["*"],
  // Only what lasts "after" is told; again every "remind" while it lasts, "0s" is once.
  //"after": "0s", "remind": "0s",
  //"headers": { "authorization": "Bearer \${HOOK_TOKEN}" },
  // none, environment, or a proxy's URL.
  //"proxy": "none",
  // Default: all there is to say.
  //"body": { "text": "{{text}}" }
  //}
  //],

  "hub": {
    "heartbeat_every": "10s",
    // WebSocket pings to silent clients; "0s" is never.
    "ping_every": "30s",
    "max_clients": 10000,
    // 0: no limit.
    "max_clients_per_ip": 0,
    // For whatever is not a client yet: header, body, handshake.
    "request_timeout": "10s",
    // From one client.
    "max_message_bytes": 65536,
    "messages_per_second": 20,
    // Events that may wait for one client, and bytes that may be on their way to it.
    "outbox_messages": 256,
    "high_water_bytes": 65536,
    // A client that takes nothing for this long is closed as a slow one.
    "stall_timeout": "15s",
    // Handed over and not yet taken, all clients together; above it the slowest are closed.
    "max_buffered_bytes": 268435456,
    // What is kept for clients that come back.
    "history_messages": 1000,
    "history_for": "5m"
  },

  // Who may connect. Default: anyone who can reach the hub. HOLDFAST_TOKEN adds a token for all
  // channels that may not publish.
  //"auth": {
  //"tokens": [
  // "channels" takes patterns such as "agent_*". /metrics take "metrics": true or all channels.
  //{ "name": "dashboards", "token": "\${DASH_TOKEN}", "channels": ["*"], "publish": false, "metrics": false }
  //],
  // One issuer, or a list of them.
  //"jwt": {
  //"jwks_url": "https://id.example.com/jwks.json",
  //"secret": "\${JWT_SECRET}",
  //"issuer": "https://id.example.com",
  //"audience": "holdfast",
  //"clock_skew": "30s",
  // Known keys stay in force for so long when the issuer cannot be reached.
  //"keep_keys_for": "24h"
  //}
  //},

  // Web pages that may connect, beside the hub's own. Default: none.
  //"origins": ["https://ops.example.com"],

  // Names the hub answers to while it has no "auth", beside IP addresses, localhost and the
  // machine's own name; others get 403. Default: none.
  //"hosts": ["hub.example.com"],

  // Serve https:// and wss://.
  //"tls": { "cert": "hub.pem", "key": "hub.key" },

  // Take the client's address from X-Forwarded-For and whether it came by https:// from
  // X-Forwarded-Proto; only behind a proxy that sets it.
  "trust_proxy": false,

  // Several hubs share one stream over NATS with JetStream; see docs/cluster.md.
  //"cluster": {
  // One server, or a list of the servers of one NATS cluster.
  //"nats": "nats://127.0.0.1:4222",
  // Only for tls:// servers with an authority of your own.
  //"ca": "nats-ca.pem",
  // This hub's own certificate, for servers that ask for one.
  //"cert": "hub.pem", "key": "hub.key",
  // A user's JWT and seed in one file; or, without such a file, the seed of its nkey.
  //"credentials": "hub.creds",
  //"nkey": "\${NATS_SEED}",
  // Hubs of the same name share one stream.
  //"name": "holdfast",
  // A leader not heard of for this long is replaced.
  //"lease": "5s",
  // A hub without NATS for this long polls for itself.
  //"grace": "15s",
  // What this hub is called in /status, logs and metrics. Default: the host's name.
  //"hub_name": "hub-1",
  // Who hears of a lost client: clients of its own "hub", or of all the "cluster".
  //"tell_losses": "hub",
  // Several hubs on this machine listen on one port.
  //"share_port": false
  //},

  // Waiting frames get at most "drain" on the way down; clients come back spread over the other.
  "shutdown": { "drain": "3s", "reconnect_within": "5s" },

  // Level: debug, info, warning, error. Format: json or pretty.
  "log": { "level": "info", "format": "json" }
}
`;
