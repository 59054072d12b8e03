use super::*;

#[test]
fn only_files_of_the_folder_are_named() {
    for (url, name) in [
        ("offerings.ndjson", Some("offerings.ndjson")),
        ("file:offerings.ndjson", Some("offerings.ndjson")),
        ("file:///offerings.ndjson", Some("offerings.ndjson")),
        ("file:///etc/passwd", None),
        ("../offerings", None),
        ("..", None),
        (".hidden", None),
        ("", None),
        ("http://127.0.0.1/offerings", None),
        ("a\\b", None),
        ("a%2fb", None),
    ] {
        assert_eq!(name_of(url).ok(), name, "{url}");
    }
}

#[test]
fn a_path_names_a_resource_of_the_same_catalog() {
    let api = table::APIS.iter().find(|api| api.number == 620).unwrap();
    let of = |path| of_what(api, path).map(|resource| resource.key).map_err(|e| e.to_string());
    assert_eq!(of("/tmf-api/productCatalogManagement/v4/productOffering"), Ok("productOffering"));
    assert_eq!(of("category"), Ok("category"));
    assert!(of("").unwrap_err().contains("/tmf-api/productCatalog"));
    assert!(of("importJob").is_err());
    assert!(of("serviceSpecification").is_err());
}
