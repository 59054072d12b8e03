//! The compact form of a token (RFC 7515, 7.1), read strictly: there is one way to write it.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use tmf::json::NotJson;

use crate::access::claims::Claims;

/// Max bytes of a token.
pub const TOKEN_BYTES_MAX: usize = 8 << 10;

/// Max nesting of objects and arrays in a token.
const DEPTH_MAX: usize = 16;

/// Max bytes of a signature: of RSA with 8,192 bits.
const SIGNATURE_BYTES_MAX: usize = 1_024;

/// A token, taken apart. Nothing of it is proven.
pub(super) struct Compact<'a> {
    pub(super) header: Header,
    pub(super) claims: Claims,
    /// What is signed: the header and the claims as they were sent.
    pub(super) signed: &'a [u8],
    pub(super) signature: Vec<u8>,
}

/// The header of a token. Keys that it brings along (`jwk`, `jku`, `x5c`, `x5u`) are not read: a token does
/// not tell by which key it is checked, apart from its id.
pub(super) struct Header {
    pub(super) alg: String,
    pub(super) kid: Option<String>,
    typ: Option<String>,
}

/// Members of a header that change what a token means. None is known here.
const EXTENSIONS: [&str; 4] = ["crit", "b64", "zip", "enc"];

/// Why a text is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    #[error("it has more than {TOKEN_BYTES_MAX} bytes")]
    TooLong,
    #[error("it has not three parts")]
    Parts,
    #[error("a part of it is not in base64url without padding")]
    Base64,
    #[error("its header is wrong")]
    Header,
    #[error("its header demands what is not known here")]
    Extension,
    #[error("it is not of a type that is accepted here")]
    Type,
    #[error("its claims are no JSON object")]
    Claims,
    #[error("a claim stands twice in it")]
    Twice,
    #[error("it nests too deep")]
    TooDeep,
}

impl<'a> Compact<'a> {
    pub(super) fn read(token: &'a str) -> Result<Self, FormError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(FormError::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(FormError::Parts)?;
        let (header, claims) = signed.split_once('.').ok_or(FormError::Parts)?;
        if claims.contains('.') {
            return Err(FormError::Parts);
        }
        let decode =
            |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| FormError::Base64);
        let signature = decode(signature)?;
        if signature.is_empty() || signature.len() > SIGNATURE_BYTES_MAX {
            return Err(FormError::Base64);
        }
        let header = Header::read(&decode(header)?)?;
        let claims = object(&decode(claims)?, FormError::Claims)?;
        Ok(Self { header, claims, signed: signed.as_bytes(), signature })
    }

    /// The issuer that it names; empty if there is none.
    pub(super) fn issuer(&self) -> &str {
        self.claims.get("iss").and_then(|issuer| issuer.as_str()).unwrap_or_default()
    }
}

impl Header {
    fn read(bytes: &[u8]) -> Result<Self, FormError> {
        let mut members = object(bytes, FormError::Header)?;
        if EXTENSIONS.iter().any(|name| members.contains_key(*name)) {
            return Err(FormError::Extension);
        }
        let mut text = |name: &str| match members.remove(name) {
            None => Ok(None),
            Some(serde_json::Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(FormError::Header),
        };
        let alg = text("alg")?.ok_or(FormError::Header)?;
        let (kid, typ, cty) = (text("kid")?, text("typ")?, text("cty")?);
        let header = Self { alg, kid, typ };
        // Content of another type is a token in a token.
        if cty.is_some() || !header.is_type() {
            return Err(FormError::Type);
        }
        Ok(header)
    }

    /// Whether it is marked as an access token (RFC 9068).
    pub(super) fn is_access_token(&self) -> bool {
        let typ = self.typ.as_deref().unwrap_or_default().to_ascii_lowercase();
        ["at+jwt", "application/at+jwt"].contains(&typ.as_str())
    }

    /// Whether it is a JWT, or an access token by RFC 9068. Others, such as logout tokens, have a type of
    /// their own.
    fn is_type(&self) -> bool {
        let Some(typ) = &self.typ else { return true };
        let typ = typ.to_ascii_lowercase();
        ["jwt", "at+jwt", "application/jwt", "application/at+jwt"].contains(&typ.as_str())
    }
}

/// The members of an object, of which none stands twice at any depth.
fn object(bytes: &[u8], wrong: FormError) -> Result<Claims, FormError> {
    let read = tmf::json::parse(bytes).map_err(|error| match error {
        NotJson::Twice(_) => FormError::Twice,
        NotJson::TooDeep => FormError::TooDeep,
        NotJson::TooLong(_) | NotJson::Reserved | NotJson::TooMany | NotJson::Malformed(_) => wrong,
    })?;
    if tmf::json::depth(bytes) > DEPTH_MAX {
        return Err(FormError::TooDeep);
    }
    let serde_json::Value::Object(members) = read else { return Err(wrong) };
    Ok(members.into_iter().collect())
}

#[cfg(test)]
mod tests;
