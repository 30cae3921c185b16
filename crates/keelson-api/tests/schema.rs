//! The schema as it is published: current, and shaped as the conventions say.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

/// The schema in `schema/graphql/` is the one the code has. `KEELSON_BLESS=1` rewrites it.
#[test]
fn the_published_schema_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schema/graphql/keelson.graphql");
    let sdl = keelson_api::sdl();
    if std::env::var_os("KEELSON_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &sdl).unwrap();
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        published == sdl,
        "schema/graphql/keelson.graphql is not current; run with KEELSON_BLESS=1 and look at the diff"
    );
}
