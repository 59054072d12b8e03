//! Outbound HTTP: `wasi:http/outgoing-handler`, and the contract's own [`plain`] interface, over a
//! pooled client of our own. A request goes out
//! where a rule of the operator's allows it, to an address that is allowed too. A redirect is followed
//! only if the rule grants that, and to where the rules allow; else the guest gets it as the answer.
//!
//! There is one client for each plugin, because the addresses that a name may resolve to are
//! part of what was granted, and a connection is kept by name.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty};
use hyper::body::Body as _;
use hyper::header::HeaderMap;
use hyper::{Method, Request, Response, Uri};
use tokio::time::Instant;
use wasmtime_wasi_http::{Error, RequestOptions, Result, WasiBody, WasiHttpHooks};

use crate::capability::caller::Caller;
use crate::capability::calls::Interface;
use crate::capability::record::Slot;
use crate::capability::secrets::Secrets;
use crate::capability::tape::Taken;
use crate::denial::{Denial, Help};
use crate::gate::Pass;
use crate::grants::rule::{Rule, without_user};
use crate::grants::{self, GrantKey, Target};
use crate::mask::Mask;

use self::body::Capped;
pub(crate) use self::client::Client;
use self::explain::explain;

pub(crate) mod address;
mod body;
mod client;
mod connect;
mod explain;
mod masked;
pub(crate) mod plain;
mod redirect;

/// Timeout of a connection.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// Timeout of an idle connection.
const IDLE_MAX: Duration = Duration::from_secs(60);
/// Max idle connections to one host.
const IDLE_CONNECTIONS_MAX: usize = 64;
/// How much of a request's body waits to be sent, and how much of a connection is buffered. A call
/// is charged for the handles that an exchange takes, which is more than this.
const BUFFER_BYTES_MAX: usize = 64 * 1024;
/// Max pause between two parts of a response's body.
const BETWEEN_BYTES_MAX: Duration = Duration::from_secs(30);

/// How far the requests of a call may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// As far as was granted.
    Granted,
    /// No further than to read: nothing is put, patched or deleted. A `POST` may be a question, as
    /// in JSON-RPC.
    Reads,
}

/// Outbound HTTP of one call.
#[derive(Debug)]
pub(crate) struct Outbound {
    pub(crate) caller: Arc<Caller>,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) mask: Arc<Mask>,
    pub(crate) client: Client,
    pub(crate) deadline: Instant,
    pub(crate) body_max: u64,
    pub(crate) reach: Reach,
}

type Answer = (Response<WasiBody>, Box<dyn Future<Output = Result<()>> + Send>);

impl WasiHttpHooks for Outbound {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Box<dyn Future<Output = Result<()>> + Send>,
    ) -> Box<dyn Future<Output = Result<Answer>> + Send> {
        self.caller.calls.count(Interface::WasiHttp);
        let (mut request, reel) = match self.caller.tape.take(request) {
            Taken::Sent(request, reel) => (request, reel),
            Taken::Played(answer) => return Box::new(async move { Ok(whole(answer.await?)) }),
        };
        let slot = self.caller.recorder.begin(&mut request);
        let rule = match self.check(&request) {
            Ok(rule) => rule,
            Err(error) => {
                slot.failed(&error);
                return Box::new(std::future::ready(reel.ended(Err(error)).map(whole)));
            }
        };
        let options = options.unwrap_or_default();
        let exchange = self.exchange(options, self.body_max, rule, slot);
        Box::new(async move { reel.ended(exchange.send(request).await).map(whole) })
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        BUFFER_BYTES_MAX
    }
}

/// An answer whose connection is looked after by the client.
fn whole(response: Response<WasiBody>) -> Answer {
    (response, Box::new(std::future::ready(Ok(()))))
}

impl Outbound {
    /// The rule that allows a request.
    fn check(&self, request: &Request<WasiBody>) -> Result<&Rule> {
        check(&self.caller, self.reach, request.method(), request.uri())
    }

    fn exchange(
        &self,
        options: RequestOptions,
        body_max: u64,
        rule: &Rule,
        slot: Slot,
    ) -> Exchange {
        Exchange {
            client: self.client.clone(),
            caller: Arc::clone(&self.caller),
            reach: self.reach,
            redirects: rule.redirects(),
            rule: rule.as_str().into(),
            until: Instant::now() + self.patience(options),
            secrets: Arc::clone(&self.secrets),
            mask: Arc::clone(&self.mask),
            between: options
                .between_bytes_timeout
                .map_or(BETWEEN_BYTES_MAX, |asked| asked.min(BETWEEN_BYTES_MAX)),
            body_max,
            slot,
        }
    }

    /// How long to wait for the head of a response. A tenth of what is left is kept back, so that
    /// the guest can still report it.
    fn patience(&self, options: RequestOptions) -> Duration {
        let left = self.deadline.saturating_duration_since(Instant::now()) * 9 / 10;
        let connect = options.connect_timeout.unwrap_or_default();
        let asked = options.first_byte_timeout.map(|first| first.saturating_add(connect));
        asked.map_or(left, |asked| asked.min(left))
    }
}

/// A request that is allowed, on its way.
struct Exchange {
    client: Client,
    caller: Arc<Caller>,
    reach: Reach,
    redirects: u8,
    /// The rule that allows it, as `ferrule.toml` has it.
    rule: Box<str>,
    /// When the head of the answer must be there.
    until: Instant,
    secrets: Arc<Secrets>,
    mask: Arc<Mask>,
    between: Duration,
    body_max: u64,
    slot: Slot,
}

impl Exchange {
    async fn send(mut self, request: Request<WasiBody>) -> Result<Response<WasiBody>> {
        let request = request.map(|body| self.slot.request(body));
        match self.answer(request).await {
            Ok(response) => {
                self.slot.answered(&response);
                Ok(response.map(|body| self.slot.answer(body)))
            }
            Err(error) => {
                self.slot.failed(&error);
                Err(error)
            }
        }
    }

    /// The answer to a request, after the redirects that are granted. Each is an exchange of its own.
    async fn answer(&mut self, request: Request<WasiBody>) -> Result<Response<WasiBody>> {
        let mut request = request;
        let mut left = self.redirects;
        loop {
            let mut trail = Trail::of(&request, left);
            let response = self.once(&trail.uri, request).await?;
            let Some(mut next) = trail.next(self, &response) else { return Ok(response) };
            self.slot = self.slot.redirected(&response, &mut next);
            (request, left) = (next, left - 1);
        }
    }

    /// The answer of one place. Secrets are put in here, so each hop of a redirect is checked.
    async fn once(&self, uri: &Uri, request: Request<WasiBody>) -> Result<Response<WasiBody>> {
        let passes = self.pass(uri).await?;
        let sent = async {
            let mut request = self.secrets.fill(request).await?;
            masked::ask_for_plain(request.headers_mut(), &self.mask);
            let sent = self.client.request(request).await;
            sent.map_err(|error| explain(&self.caller, &self.client, uri, &error))
        };
        let sent = tokio::time::timeout_at(self.until, sent).await;
        let response = sent.unwrap_or(Err(Error::HttpResponseTimeout))?;
        let body = |incoming| Capped::new(incoming, self.body_max, self.between, passes).boxed();
        masked::response(response.map(body), &self.mask).map_err(|coding| {
            let uri = shown(uri);
            self.caller.note(&format!(
                "the answer of {uri} is compressed by `{coding}` though it was asked for in plain, so the \
                 secrets of the plugin cannot be masked in it: it is not passed on"
            ));
            Error::HttpResponseContentCoding(Some(coding))
        })
    }
}

impl Exchange {
    /// Waits until the target may have one request more: half of the time at most, so that the target
    /// has some for its answer.
    async fn pass(&self, uri: &Uri) -> Result<Vec<Pass>> {
        let Some(target) = Target::of(uri) else { return Ok(Vec::new()) };
        let now = Instant::now();
        let until = now + self.until.saturating_duration_since(now) / 2;
        let tables =
            [grants::target_table(&self.caller.plugin, &target), grants::common_table(&target)];
        let mut passes = Vec::new();
        for (gate, table) in self.client.gates(&target).into_iter().zip(tables) {
            let Some(gate) = gate else { continue };
            let pass = gate.pass(until).await.map_err(|shut| {
                let (setting, ms) = (shut.setting, shut.retry_after.as_millis());
                self.caller.note(&format!(
                    "{uri}: not sent: no place in time under `{table} {setting}`; one may be free in \
                     {ms} ms"
                ));
                self.caller.retry_after(shut.retry_after);
                Error::ConnectionLimitReached
            })?;
            passes.push(pass);
        }
        Ok(passes)
    }
}

/// What must be known of a request to follow its redirect.
struct Trail {
    method: Method,
    uri: Uri,
    /// Empty if no redirect is followed.
    headers: HeaderMap,
    has_body: bool,
    /// How many redirects are still followed.
    left: u8,
}

impl Trail {
    fn of(request: &Request<WasiBody>, left: u8) -> Self {
        let headers = if left > 0 { request.headers().clone() } else { HeaderMap::new() };
        Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            headers,
            has_body: !request.body().is_end_stream(),
            left,
        }
    }

    /// The request that an answer redirects to, if the rules allow it. Its body cannot be sent twice.
    fn next(
        &mut self,
        exchange: &Exchange,
        response: &Response<WasiBody>,
    ) -> Option<Request<WasiBody>> {
        let (status, headers) = (response.status(), response.headers());
        let hop = redirect::hop(&self.method, &self.uri, status, headers)?;
        let caller = &exchange.caller;
        let call = format!("{} {} to {}", self.method, shown(&self.uri), shown(&hop.uri));
        if hop.keeps_body && self.has_body {
            let (why, help) = ("a body is not sent again", "send it to that address".into());
            caller.deny(Denial::HttpRedirectedBody, &call, why, help);
            return None;
        }
        if self.left == 0 || rule_for(caller, &hop.method, &hop.uri).is_none() {
            let help = redirect_help(caller, self.left, &exchange.rule, &hop);
            caller.deny(Denial::HttpRedirect, &call, "the redirect is not granted", help);
            return None;
        }
        check(caller, exchange.reach, &hop.method, &hop.uri).ok()?;
        let headers = redirect::headers(std::mem::take(&mut self.headers), &self.uri, &hop);
        let empty = Empty::new().map_err(|never| match never {});
        let mut request = Request::new(empty.boxed_unsync());
        (*request.method_mut(), *request.uri_mut()) = (hop.method, hop.uri);
        *request.headers_mut() = headers;
        Some(request)
    }
}

/// The lines that have a redirect followed: one more by the rule of its request, and a rule for where it leads.
fn redirect_help(caller: &Caller, left: u8, own: &str, hop: &redirect::Hop) -> Help {
    let mut rules = caller.grants.names(GrantKey::Http);
    let raised = caller.grants.http.iter().position(|rule| left == 0 && rule.as_str() == own);
    if let Some(index) = raised {
        let Some(more) = caller.grants.http.get(index).and_then(Rule::with_redirect) else {
            return "no rule may have more redirects followed".into();
        };
        rules.splice(index..=index, [more]);
    }
    if rule_for(caller, &hop.method, &hop.uri).is_none() {
        rules.push(Rule::asked(&hop.method, &hop.uri));
    }
    Help::Lines(grants::list(&caller.plugin, "http", rules.iter().map(String::as_str)))
}

/// The rule that allows a request; of several the one that grants most redirects.
fn rule_for<'a>(caller: &'a Caller, method: &Method, uri: &Uri) -> Option<&'a Rule> {
    let rules = caller.grants.http.iter().filter(|rule| rule.allows(method, uri));
    rules.max_by_key(|rule| rule.redirects())
}

/// The rule that allows a request. If there is none, the log has the reason.
fn check<'a>(caller: &'a Caller, reach: Reach, method: &Method, uri: &Uri) -> Result<&'a Rule> {
    let call = format!("{method} {}", shown(uri));
    // It would go out in `Host`, and stand in the logs of the element.
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        let (why, help) =
            ("no user and password in a URL", "use the header `Authorization`".into());
        caller.deny(Denial::HttpUser, &call, why, help);
        return Err(Error::HttpRequestUriInvalid);
    }
    let Some(rule) = rule_for(caller, method, uri) else {
        let lines = Help::Lines(caller.http_lines(&Rule::asked(method, uri)));
        caller.deny(Denial::HttpRule, &call, "no rule allows it", lines);
        return Err(Error::HttpRequestDenied);
    };
    let reads = [Method::GET, Method::HEAD, Method::OPTIONS, Method::POST];
    if reach == Reach::Reads && !reads.contains(method) {
        let help = "`observe` may send GET, HEAD, OPTIONS and POST".into();
        caller.deny(Denial::HttpChange, &call, "a reconciliation only reads", help);
        return Err(Error::HttpRequestDenied);
    }
    caller.ledger.used(GrantKey::Http, rule.as_str());
    Ok(rule)
}

/// A URI as it may be logged.
fn shown(uri: &Uri) -> String {
    without_user(&uri.to_string()).into_owned()
}
