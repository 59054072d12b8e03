use axum::http::HeaderValue;

use super::*;

#[test]
fn cookies_have_the_attributes_of_their_door() {
    let secure = Cookies::of("https://ferrule.example.com");
    assert_eq!(
        secure.set(secure.session(), "s", None),
        "__Host-ferrule=s; Path=/; HttpOnly; SameSite=Lax; Secure"
    );
    assert_eq!(
        secure.clear(&secure.login("abcdefghijkl")),
        "__Host-ferrule-login-abcdefgh=; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0"
    );
    let plain = Cookies::of("http://127.0.0.1:8080");
    assert_eq!(
        plain.set(plain.session(), "s", Some(600)),
        "ferrule=s; Path=/; HttpOnly; SameSite=Lax; Max-Age=600"
    );
}

#[test]
fn a_cookie_is_found_by_its_whole_name_once() {
    type Found = Result<Option<&'static str>, Twice>;
    let table: [(&[&str], Found); 10] = [
        (&[], Ok(None)),
        (&["ferrule=a"], Ok(Some("a"))),
        (&["x=1; ferrule=a; y=2"], Ok(Some("a"))),
        (&["x=1;ferrule=a"], Ok(Some("a"))),
        (&["x=1", "ferrule=a"], Ok(Some("a"))),
        (&["ferrule=a=b"], Ok(Some("a=b"))),
        (&["ferrule-login-x=a; xferrule=b; Ferrule=c"], Ok(None)),
        (&["ferrule"], Ok(None)),
        (&["ferrule=a; ferrule=a"], Err(Twice)),
        (&["ferrule=a", "ferrule=b"], Err(Twice)),
    ];
    for (lines, expected) in table {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, HeaderValue::from_str(line).unwrap());
        }
        assert_eq!(read(&headers, "ferrule"), expected, "{lines:?}");
    }
}
