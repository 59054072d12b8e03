use super::*;

#[test]
fn a_password_in_the_url_of_a_server_is_refused_and_not_shown() {
    for url in ["http://joe:hunter2@host:8080", "joe:hunter2@host", "http://hunter2@host/path"] {
        let error = Client::local(url).err().unwrap().to_string();
        assert!(error.contains("a user or a password") && !error.contains("hunter2"), "{error}");
    }
    for url in ["http://127.0.0.1:8080", "http://[::1]:8080/", "http://host/a@b"] {
        assert!(Client::local(url).is_ok(), "{url}");
    }
}
