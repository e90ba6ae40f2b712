//! What an authority says of itself at `/.well-known/openid-configuration`, and whether that can be so.

use http::{Request, StatusCode, header};
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType,
    CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm,
    CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::{AdditionalProviderMetadata, DeviceAuthorizationUrl, ProviderMetadata};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::error::Fault;
use crate::http::{Client, server};
use crate::realm::Realm;
use crate::told::told;

/// The endpoints that OpenID Connect's own document leaves to other specifications: RFC 8628 and RFC 7009.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Endpoints {
    device_authorization_endpoint: Option<DeviceAuthorizationUrl>,
    revocation_endpoint: Option<String>,
}

impl AdditionalProviderMetadata for Endpoints {}

pub(crate) type Metadata = ProviderMetadata<
    Endpoints,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// An authority, and the client to ask it with.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) http: Client,
    pub(crate) metadata: Metadata,
    /// The authority as the realm has it, for messages.
    pub(crate) name: String,
}

impl Provider {
    /// Asks the authority of `realm` what it offers.
    pub(crate) fn discover(realm: &Realm) -> Result<Self, Fault> {
        let http = Client::new(realm.reach())?;
        let name = realm.authority.clone();
        let wrong = |why: String| Fault::Authority {
            authority: name.clone(),
            why,
        };
        let address = format!("{}/.well-known/openid-configuration", realm.issuer());
        let request = Request::get(&address)
            .header(header::ACCEPT, "application/json")
            .body(Vec::new())
            .map_err(|_| wrong(format!("{address} is no address")))?;
        let answer = http.send(request)?;
        if answer.status() != StatusCode::OK {
            return Err(wrong(format!("{address} answers {}", answer.status())));
        }
        let metadata: Metadata = serde_json::from_slice(answer.body()).map_err(|cause| {
            wrong(format!(
                "{address} is no discovery document: {}",
                told(&cause.to_string(), &[])
            ))
        })?;
        check_issuer(realm, metadata.issuer().as_str()).map_err(&wrong)?;
        let provider = Provider {
            http,
            metadata,
            name: name.clone(),
        };
        provider.check_endpoints()?;
        Ok(provider)
    }

    /// Where device codes are given out.
    pub(crate) fn device(&self) -> Option<DeviceAuthorizationUrl> {
        let endpoints = self.metadata.additional_metadata();
        endpoints.device_authorization_endpoint.clone()
    }

    /// Where tokens are revoked.
    pub(crate) fn revocation(&self) -> Option<&str> {
        let endpoints = self.metadata.additional_metadata();
        endpoints.revocation_endpoint.as_deref()
    }

    /// Every address that a request or the browser will be sent to is as safe as the authority's own. They may be on other servers: that
    /// is for the authority to say.
    fn check_endpoints(&self) -> Result<(), Fault> {
        let metadata = &self.metadata;
        let device = self.device();
        let all = [
            Some(metadata.authorization_endpoint().as_str()),
            Some(metadata.jwks_uri().as_str()),
            metadata.token_endpoint().map(|url| url.as_str()),
            device.as_ref().map(|url| url.as_str()),
            self.revocation(),
        ];
        for text in all.into_iter().flatten() {
            let url = Url::parse(text).map_err(|_| self.unusable("an endpoint is no address"))?;
            self.http.admit(&url)?;
        }
        Ok(())
    }

    /// The authority's answer is of no use.
    pub(crate) fn unusable(&self, why: impl Into<String>) -> Fault {
        Fault::Answer {
            authority: self.name.clone(),
            why: why.into(),
        }
    }
}

/// An authority has to be the issuer that it was asked as (OpenID Connect Discovery 1.0, 4.3), so that one cannot pass for another.
/// Entra alone may answer with the directory's number where it was asked by name, or with a place for it.
fn check_issuer(realm: &Realm, found: &str) -> Result<(), String> {
    let asked = realm.issuer();
    if found.trim_end_matches('/') == asked.trim_end_matches('/') {
        return Ok(());
    }
    if realm.is_microsoft() && entra_issuer(realm, found).is_some() {
        return Ok(());
    }
    let shown =
        Url::parse(found).map_or_else(|_| "no address".to_owned(), |url| server(&url) + url.path());
    Err(format!(
        "it was asked as {asked}, and says that it is {shown}"
    ))
}

/// The directory in an issuer of Entra's, if that is one of the authority's own. `{tenantid}` stands for the directory that the
/// person turns out to be of.
fn entra_issuer<'a>(realm: &Realm, issuer: &'a str) -> Option<&'a str> {
    let rest = issuer.strip_prefix(&realm.authority)?.strip_prefix('/')?;
    let tenant = rest.strip_suffix("/v2.0")?;
    let asked = realm.tenant.as_deref().filter(|tenant| is_guid(tenant));
    let good = match asked {
        Some(asked) => tenant.eq_ignore_ascii_case(asked),
        None => tenant == "{tenantid}" || is_guid(tenant),
    };
    good.then_some(tenant)
}

/// Whether it is a directory's number.
pub(crate) fn is_guid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let digits = |part: &&str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    lengths == [8, 4, 4, 4, 12] && parts.iter().all(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUID: &str = "0f1e2d3c-0000-1111-2222-333344445555";

    #[test]
    fn an_authority_is_who_it_was_asked_as() {
        let entra = "https://login.microsoftonline.com";
        let number = &format!("{entra}/{GUID}/v2.0");
        let place = &format!("{entra}/{{tenantid}}/v2.0");
        for (authority, tenant, found, good) in [
            (
                "https://id.example/soc",
                None,
                "https://id.example/soc",
                true,
            ),
            (
                "https://id.example/soc",
                None,
                "https://id.example/soc/",
                true,
            ),
            (
                "https://id.example/soc",
                None,
                "https://id.example/other",
                false,
            ),
            (
                "https://id.example/soc",
                None,
                "https://evil.example/soc",
                false,
            ),
            (entra, Some("contoso.example"), number, true),
            (entra, Some(GUID), number, true),
            (
                entra,
                Some("1f1e2d3c-0000-1111-2222-333344445555"),
                number,
                false,
            ),
            (entra, None, place, true),
            (entra, Some(GUID), place, false),
            (entra, None, "https://login.evil.example/x/v2.0", false),
        ] {
            let realm = Realm {
                authority: authority.to_owned(),
                tenant: tenant.map(str::to_owned),
                client_id: None,
                server: None,
            };
            let checked = check_issuer(&realm, found);
            assert_eq!(checked.is_ok(), good, "{authority} {tenant:?} {found}");
        }
    }

    /// As Entra answers for all directories, shortened.
    const ENTRA: &str = r#"{
        "token_endpoint": "https://login.microsoftonline.com/organizations/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": "https://login.microsoftonline.com/organizations/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0",
        "request_uri_parameter_supported": false,
        "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
        "authorization_endpoint": "https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize",
        "device_authorization_endpoint": "https://login.microsoftonline.com/organizations/oauth2/v2.0/devicecode",
        "http_logout_supported": true,
        "claims_supported": ["sub", "iss", "tid", "preferred_username"],
        "kerberos_endpoint": "https://login.microsoftonline.com/organizations/kerberos",
        "tenant_region_scope": null,
        "cloud_instance_name": "microsoftonline.com"
    }"#;

    #[test]
    fn entras_own_document_is_read() {
        let metadata: Metadata = serde_json::from_str(ENTRA).unwrap();
        let provider = Provider {
            http: Client::new(crate::http::Reach::Https).unwrap(),
            metadata,
            name: "https://login.microsoftonline.com".to_owned(),
        };
        assert!(provider.check_endpoints().is_ok());
        assert!(provider.device().is_some() && provider.revocation().is_none());
        let issuer = provider.metadata.issuer().as_str();
        assert!(issuer.contains("{tenantid}"), "{issuer}");
    }
}
