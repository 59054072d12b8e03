//! Pages for people: plain HTML that needs no script, under a policy that allows none.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::super::answer;
use super::{TOKEN, not_stored};

const STYLE: &str = include_str!("style.css");

/// A page with a message.
struct Page<'a> {
    status: StatusCode,
    title: &'a str,
    /// Paragraphs, as HTML.
    body: String,
}

/// The form by which someone logs out.
pub(in crate::http) struct Form<'a> {
    /// How they are called.
    pub(in crate::http) name: &'a str,
    pub(in crate::http) token: String,
}

/// What the form of a login has.
pub(super) struct Ask<'a> {
    pub(super) base: &'a str,
    /// Where the browser goes afterwards.
    pub(super) target: &'a str,
    /// Whether people can log in at a provider instead.
    pub(super) has_provider: bool,
    /// Why the last attempt failed.
    pub(super) message: Option<&'a str>,
}

impl Page<'_> {
    fn render(&self) -> Response {
        let Self { status, title, body } = self;
        let html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title} - Ferrule</title>\n\
             <link rel=\"stylesheet\" href=\"/login/style.css\">\n<main>\n<h1>{title}</h1>\n{body}</main>\n"
        );
        let response = answer::with_type(*status, "text/html; charset=utf-8", html);
        with_policy(not_stored(response), None)
    }
}

impl Form<'_> {
    /// Its HTML, with the name of who is logged in.
    pub(in crate::http) fn html(&self, base: &str) -> String {
        let (name, token, base) = (escaped(self.name), escaped(&self.token), escaped(base));
        format!(
            "<form method=\"post\" action=\"{base}/logout\">\n\
             <p>You are logged in as <strong id=\"who\">{name}</strong>.\n\
             <input type=\"hidden\" name=\"{TOKEN}\" value=\"{token}\">\n\
             <button type=\"submit\" id=\"logout\">Log out</button></p>\n</form>\n"
        )
    }
}

/// Allows a page its own style, forms and requests to this server, and no script. Forms may lead to one more origin.
pub(in crate::http) fn with_policy(mut response: Response, forms_to: Option<&str>) -> Response {
    let forms = forms_to.map_or(String::new(), |origin| format!(" {origin}"));
    let policy = format!(
        "default-src 'none'; style-src 'self'; connect-src 'self'; form-action 'self'{forms}; frame-ancestors 'none'; \
         base-uri 'none'"
    );
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // With no referrer at all, a form would have no origin either.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

pub(super) fn style() -> Response {
    let mut response = answer::with_type(StatusCode::OK, "text/css; charset=utf-8", STYLE);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=3600"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The login came late, twice, or from elsewhere.
pub(super) fn stale(id: &str) -> Response {
    let text = "This login has expired, was used before, or was begun in another browser.";
    again(StatusCode::BAD_REQUEST, "Log in again", text, id)
}

/// The provider does not let the person in.
pub(super) fn refused_by_provider(id: &str) -> Response {
    let text = "The identity provider did not let you in, or you cancelled the login.";
    again(StatusCode::FORBIDDEN, "You are not logged in", text, id)
}

/// What the provider answers proves nothing.
pub(super) fn refused(id: &str) -> Response {
    let text = "The answer of the identity provider does not prove who you are.";
    again(StatusCode::UNAUTHORIZED, "You are not logged in", text, id)
}

/// No one can log in now.
pub(super) fn unavailable(id: &str) -> Response {
    let text = "No one can log in at the moment. Those who are logged in can go on.";
    again(StatusCode::SERVICE_UNAVAILABLE, "Logins are not available", text, id)
}

fn again(status: StatusCode, title: &str, text: &str, id: &str) -> Response {
    let id = escaped(id);
    let body = format!(
        "<p>{text}</p>\n<p><a href=\"/login\">Log in again</a></p>\n\
         <p>If it fails again, give this number to your administrator, who finds the reason in the log \
         by it: <code>{id}</code></p>\n"
    );
    Page { status, title, body }.render()
}

pub(super) fn logged_out(base: &str) -> Response {
    let base = escaped(base);
    let body = format!("<p><a href=\"{base}/login\">Log in</a></p>\n");
    Page { status: StatusCode::OK, title: "You are logged out", body }.render()
}

/// The form by which local users log in.
pub(super) fn log_in(status: StatusCode, ask: &Ask<'_>) -> Response {
    let Ask { base, target, has_provider, message } = ask;
    let (base, target) = (escaped(base), escaped(target));
    let message = message.map_or(String::new(), |text| {
        format!("<p role=\"alert\" id=\"message\">{}</p>\n", escaped(text))
    });
    let other = match has_provider {
        true => {
            let target = utf8_percent_encode(ask.target, NON_ALPHANUMERIC);
            format!(
                "<p><a href=\"{base}/login/provider?return={target}\" id=\"provider\">Log in at your \
                 identity provider</a></p>\n"
            )
        }
        false => String::new(),
    };
    let body = format!(
        "{message}<form method=\"post\" action=\"{base}/login\">\n\
         <label for=\"name\">Name</label>\n\
         <input id=\"name\" name=\"name\" autocomplete=\"username\" required autofocus>\n\
         <label for=\"password\">Password</label>\n\
         <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\" required>\n\
         <input type=\"hidden\" name=\"return\" value=\"{target}\">\n\
         <p><button type=\"submit\" id=\"login\">Log in</button></p>\n</form>\n{other}"
    );
    Page { status, title: "Log in", body }.render()
}

pub(super) fn log_out(base: &str, form: &Form<'_>, forms_to: Option<&str>) -> Response {
    let page = Page { status: StatusCode::OK, title: "Log out", body: form.html(base) };
    with_policy(page.render(), forms_to)
}

/// A text in HTML, in an element or an attribute.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            char => html.push(char),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_people_are_text_and_never_markup() {
        let form = Form { name: "<script>\"'&", token: "t".into() };
        let html = form.html("http://127.0.0.1:8080");
        assert!(html.contains(">&lt;script&gt;&quot;&#39;&amp;</strong>"), "{html}");
    }
}
