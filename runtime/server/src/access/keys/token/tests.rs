use super::*;

#[test]
fn a_key_is_read_as_it_was_shown() {
    let token = Token::draw().unwrap();
    let text = token.text();
    assert_eq!(text.len(), 4 + 26 + 1 + 43);
    let read = Token::read(&text).unwrap();
    assert_eq!(read.id, token.id);
    assert!(read.hashed().is(&token.hashed()));
    assert!(Hashed::read(&token.hashed().text()).unwrap().is(&token.hashed()));
    assert!(!Token::draw().unwrap().hashed().is(&token.hashed()));
    assert_ne!(Token::draw().unwrap().id, token.id);
}

#[test]
fn a_text_of_another_form_is_no_key() {
    let text = Token::draw().unwrap().text();
    let id = &text[4..30];
    let secret = &text[31..];
    let table = [
        String::new(),
        "frl_".into(),
        text[..text.len() - 1].into(),
        format!("{}A", *text),
        format!("{}=", *text),
        format!("FRL_{}", &text[4..]),
        format!("frl_{}_{secret}", id.to_uppercase()),
        format!("frl_{id}-{secret}"),
        format!("frl_{id}_{}", "+".repeat(43)),
        format!("frl_{}_{secret}", "0".repeat(26)),
        format!("frl_{}_{secret}", "é".repeat(13)),
        format!("frl_{id}é{}", &secret[1..]),
    ];
    for wrong in table {
        assert!(Token::read(&wrong).is_none(), "{wrong}");
    }
}
