use super::*;
use crate::access::{Authentication, Proof, Roles};

fn token(access: &Access, ms: u64) -> Arc<Identity> {
    let proof = Proof::Token { issuer: "acme".into() };
    Arc::new(Identity { proof, until: Some(access.now().plus_ms(ms)), ..Identity::local() })
}

#[tokio::test]
async fn a_stream_ends_when_its_token_expires() {
    let access = Access::new(Authentication::Required, Roles::default());
    let identity = token(&access, 50);
    let mut standing = access.standing(Some(&identity));
    assert!(standing.holds());
    standing.ended().await;
    assert!(!standing.holds());
}

#[tokio::test]
async fn a_stream_of_this_machine_goes_on() {
    let access = Access::default();
    let local = Arc::new(Identity::local());
    for identity in [None, Some(&local)] {
        let mut standing = access.standing(identity);
        access.revoked();
        let ended = tokio::time::timeout(Duration::from_millis(20), standing.ended());
        assert!(ended.await.is_err() && standing.holds());
    }
}
