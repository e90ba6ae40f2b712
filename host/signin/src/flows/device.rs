//! A code that a person enters in a browser of any machine (RFC 8628).

use openidconnect::core::{CoreDeviceAuthorizationResponse, CoreTokenResponse};
use openidconnect::{DeviceCodeErrorResponseType, RequestTokenError, Scope};
use url::Url;

use crate::discovery::Provider;
use crate::error::SignInError;
use crate::oidc;
use crate::told::told;

/// What a person has to do, and how long they have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// The code to enter.
    pub code: String,
    /// Where to enter it.
    pub address: String,
    /// Seconds until the code is worth nothing.
    pub seconds: u64,
}

/// Shows the code by `show`, and waits until it was used, refused or is worth nothing.
pub(crate) fn run(
    provider: &Provider,
    client_id: &str,
    scopes: &[String],
    show: impl FnOnce(&Prompt),
) -> Result<CoreTokenResponse, SignInError> {
    let endpoint = provider.device().ok_or_else(|| SignInError::NotOffered {
        authority: provider.name.clone(),
        way: "sign-in by device code",
        instead: "`spoor login` without --device",
    })?;
    let client = oidc::client(provider, client_id, None).set_device_authorization_url(endpoint);
    let details: CoreDeviceAuthorizationResponse = client
        .exchange_device_code()
        .add_scopes(scopes.iter().cloned().map(Scope::new))
        .request(&provider.http)
        .map_err(|error| oidc::fault(provider, error, &[]))?;
    show(&prompt(provider, &details)?);
    // It asks as often as the authority allows, more rarely when told to slow down, and until the code's end.
    let answer = client
        .exchange_device_access_token(&details)
        .map_err(|_| provider.unusable("it names no token endpoint"))?
        .request(&provider.http, std::thread::sleep, None);
    answer.map_err(|error| ended(provider, error))
}

type Failed = RequestTokenError<crate::http::HttpError, openidconnect::DeviceCodeErrorResponse>;

fn ended(provider: &Provider, error: Failed) -> SignInError {
    if let RequestTokenError::ServerResponse(answer) = &error {
        match answer.error() {
            DeviceCodeErrorResponseType::ExpiredToken => return SignInError::Expired,
            DeviceCodeErrorResponseType::AccessDenied => {
                let why = answer.error_description().map(|text| told(text, &[]));
                return SignInError::Denied(why.unwrap_or_default());
            }
            _ => {}
        }
    }
    oidc::fault(provider, error, &[]).into()
}

fn prompt(
    provider: &Provider,
    details: &CoreDeviceAuthorizationResponse,
) -> Result<Prompt, SignInError> {
    let address = details.verification_uri().as_str();
    let wrong = || provider.unusable("the address for the code is none that a person should open");
    let url = Url::parse(address).map_err(|_| wrong())?;
    provider.http.admit(&url).map_err(|_| wrong())?;
    Ok(Prompt {
        code: told(details.user_code().secret(), &[]),
        address: url.to_string(),
        seconds: details.expires_in().as_secs(),
    })
}
