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

#[derive(clap::Parser)]
struct Given {
    #[command(flatten)]
    login: Login,
}

#[test]
fn a_tenant_is_the_beginning_of_all_paths() {
    use clap::Parser as _;
    let base = |url: &str, tenant: &str| {
        let login = Given::parse_from(["ferrule", "--tenant", tenant]).login;
        Client::new(url, &login).map(|client| client.base).map_err(|error| error.to_string())
    };
    assert_eq!(base("http://localhost:1/", "acme").unwrap(), "http://localhost:1/tenants/acme");
    let said = base("http://localhost:1", "../x").unwrap_err();
    assert!(said.contains("is no name of a tenant"), "{said}");
    let said = base("http://localhost:1/tenants/b", "acme").unwrap_err();
    assert!(said.contains("names a tenant"), "{said}");
}
