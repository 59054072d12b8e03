//! A browser without a screen or scripts: it keeps cookies by host, follows redirects if it is asked to, and
//! sends what browsers send.

use std::collections::BTreeMap;

use crate::world::{Answer, Http};

/// What a browser accepts.
const ACCEPT: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

/// Redirects that are followed.
const REDIRECTS_MAX: usize = 12;

#[derive(Clone, Default)]
pub(super) struct Browser {
    /// The cookies of each host, without its port.
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

impl Browser {
    /// Opens a page, without following a redirect.
    pub(super) async fn open(&mut self, url: &str) -> Answer {
        self.send("GET", url, &[], "").await
    }

    /// Sends a form.
    pub(super) async fn submit(&mut self, url: &str, form: &str) -> Answer {
        let origin = url.split('/').take(3).collect::<Vec<_>>().join("/");
        let headers =
            [("content-type", "application/x-www-form-urlencoded"), ("origin", origin.as_str())];
        self.send("POST", url, &headers, form).await
    }

    /// Sends a request with the cookies of its host, and keeps those of the answer.
    pub(super) async fn send(
        &mut self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let (base, path) = split(url);
        let host = base.split(['/', ':']).nth(3).unwrap().to_owned();
        let cookies = self.cookies.entry(host).or_default();
        let sent: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let sent = sent.join("; ");
        let mut all = headers.to_vec();
        if !headers.iter().any(|(name, _)| *name == "accept") {
            all.push(("accept", ACCEPT));
        }
        if !sent.is_empty() {
            all.push(("cookie", &sent));
        }
        let answer = Http::new(base).send(method, path, &all, body.to_owned()).await.unwrap();
        for line in answer.headers.get_all("set-cookie") {
            let line = line.to_str().unwrap();
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            match value {
                "" => cookies.remove(name),
                value => cookies.insert(name.into(), value.into()),
            };
        }
        answer
    }

    /// Follows redirects to an answer that is none, or to one that leads to a URL with this beginning; returns
    /// the URL of that, and the answer before.
    pub(super) async fn follow_until(&mut self, url: &str, stop: &str) -> (String, Option<Answer>) {
        let mut url = url.to_owned();
        for _ in 0..REDIRECTS_MAX {
            if url.starts_with(stop) {
                return (url, None);
            }
            let answer = self.open(&url).await;
            match location(&answer) {
                Some(next) => url = absolute(&url, &next),
                None => return (url, Some(answer)),
            }
        }
        panic!("{url} leads round and round");
    }

    /// Follows redirects to their end.
    pub(super) async fn follow(&mut self, url: &str) -> (String, Answer) {
        let (url, answer) = self.follow_until(url, "never").await;
        (url, answer.unwrap())
    }

    /// Logs in at a provider from one of its redirects on; returns the URL of the callback, not opened yet.
    pub(super) async fn log_in_at(&mut self, page: &str, name: &str, callback: &str) -> String {
        let (url, form) = self.follow_until(page, callback).await;
        let Some(form) = form else { return url };
        assert!(form.text.contains("name=\"login\""), "{}", form.text);
        let answer = self.submit(&url, &format!("prompt=login&login={name}&password=x")).await;
        let next = absolute(&url, &location(&answer).expect(&answer.text));
        self.follow_until(&next, callback).await.0
    }

    pub(super) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get("127.0.0.1")?.get(name).map(String::as_str)
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.cookies.entry("127.0.0.1".into()).or_default().insert(name.into(), value.into());
    }
}

/// Where an answer leads.
pub(super) fn location(answer: &Answer) -> Option<String> {
    let is_redirect = (300..400).contains(&answer.status);
    let location = answer.headers.get("location").filter(|_| is_redirect)?;
    Some(location.to_str().unwrap().to_owned())
}

pub(super) fn absolute(from: &str, to: &str) -> String {
    if to.starts_with("http") { to.into() } else { format!("{}{to}", split(from).0) }
}

/// The origin of a URL, and the rest.
fn split(url: &str) -> (&str, &str) {
    let after_scheme = url.find("://").unwrap() + 3;
    match url[after_scheme..].find('/') {
        Some(slash) => url.split_at(after_scheme + slash),
        None => (url, "/"),
    }
}

/// A URL with another value of a parameter.
pub(super) fn with(url: &str, name: &str, value: &str) -> String {
    let (path, query) = url.split_once('?').unwrap();
    let parameters = query.split('&').map(|pair| match pair.split_once('=') {
        Some((known, _)) if known == name => format!("{name}={value}"),
        _ => pair.to_owned(),
    });
    format!("{path}?{}", parameters.collect::<Vec<_>>().join("&"))
}

/// The value of a parameter.
pub(super) fn parameter<'a>(url: &'a str, name: &str) -> &'a str {
    let pairs = url.split(['?', '&']).filter_map(|pair| pair.split_once('='));
    pairs.filter(|(known, _)| *known == name).map(|(_, value)| value).next().unwrap()
}
