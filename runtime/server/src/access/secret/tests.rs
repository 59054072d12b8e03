use super::*;

#[test]
fn a_secret_has_256_bits_and_a_hash() {
    let (one, other) = (Secret::draw().unwrap(), Secret::draw().unwrap());
    assert_eq!(one.text().len(), TEXT_BYTES);
    assert_ne!(one.text(), other.text());
    let hash = Hash::of(one.text()).unwrap();
    assert_eq!(hash.as_str().len(), 64);
    assert_ne!(Some(&hash), Hash::of(other.text()).as_ref());
}

#[test]
fn texts_of_another_form_have_no_hash() {
    for text in ["", "a", &"a".repeat(42), &"a".repeat(44), &"=".repeat(43), &"a b".repeat(43)] {
        assert_eq!(Hash::of(text), None, "{text}");
    }
    let known = Hash::of(&"A".repeat(43)).unwrap();
    assert_eq!(&known.as_str()[..8], "0f007385");
}

#[test]
fn a_code_belongs_to_one_secret_and_one_purpose() {
    let (one, other) = (Secret::draw().unwrap(), Secret::draw().unwrap());
    let code = code_of(one.text(), "csrf");
    assert!(is_code_of(&code, one.text(), "csrf"));
    assert!(!is_code_of(&code, other.text(), "csrf"));
    assert!(!is_code_of(&code, one.text(), "other"));
    for wrong in ["", "x", &code[..42], &format!("{code}A"), one.text()] {
        assert!(!is_code_of(wrong, one.text(), "csrf"), "{wrong}");
    }
}
