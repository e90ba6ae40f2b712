//! Why there is no sign-in or no token, said so that a person can act on it. Nothing of it holds a token, a code or an address's
//! fragment: of what MSAL says only codes are taken, and of what authorities say one line that is searched for tokens.

use serde::Deserialize;
use wasm_bindgen::JsValue;

use crate::told::told;

/// Why nobody is signed in, or there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// Nobody is signed in, or the sign-in has ended.
    #[error(
        "nobody is signed in at {authority}, or the sign-in has ended: sign in under Workspaces in the settings"
    )]
    InteractionNeeded {
        /// The authority.
        authority: String,
    },
    /// Somebody is signed in, and not for this server.
    #[error(
        "the sign-in at {authority} is for another server than {server}: if you trust it with your access, sign in for it under Workspaces in the settings"
    )]
    OtherServer {
        /// The authority.
        authority: String,
        /// The server that would have had the token.
        server: String,
    },
    /// The window was closed, or the person thought better of it.
    #[error("the sign-in was cancelled before it was done: sign in again when you are ready")]
    Cancelled,
    /// The browser opened no window.
    #[error(
        "the browser let no window be opened for the sign-in: allow this page to open windows, or sign in on this page"
    )]
    PopupBlocked,
    /// Nobody finished the sign-in.
    #[error("the sign-in was not finished in time: sign in again")]
    TimedOut,
    /// There is one already.
    #[error(
        "another sign-in is under way in this tab: finish it, or reload the page and sign in again"
    )]
    Busy,
    /// The authority refused, in OAuth's terms.
    #[error("the authority {authority} refused: {code}{}", described(.message))]
    Refused {
        /// Who refused.
        authority: String,
        /// OAuth's code, as `access_denied`.
        code: String,
        /// What the authority says of it.
        message: String,
    },
    /// No answer came that the page may read.
    #[error(
        "the authority {authority} cannot be reached from this page: check the connection, the workspace's 'authority', and that the authority lets pages of this site ask it (CORS)"
    )]
    Unreachable {
        /// The authority.
        authority: String,
    },
    /// The realm names no application, and for pages there is none that every authority knows.
    #[error(
        "the workspace of {authority} names no application that pages may sign in to: register a single-page application there whose redirect URI is this site's signin.html, and set 'client-id'"
    )]
    NoClient {
        /// The authority.
        authority: String,
    },
    /// The realm cannot be right.
    #[error(
        "the authority {authority} cannot be signed in to as it is configured ({code}): check 'authority' and 'client-id' of the workspace; an authority is asked over https alone"
    )]
    Misconfigured {
        /// The authority.
        authority: String,
        /// A code as MSAL has it.
        code: String,
    },
    /// The page may not do cryptography.
    #[error(
        "the browser does no cryptography for pages that come over http from another computer: open Spoor over https"
    )]
    Insecure,
    /// MSAL is not there.
    #[error(
        "what signs in could not be loaded from the page's own site: check the connection, and reload the page"
    )]
    NotLoaded,
    /// Something else.
    #[error(
        "the sign-in at {authority} failed ({code}): try again; if it comes back, tell who runs the authority"
    )]
    Failed {
        /// The authority.
        authority: String,
        /// MSAL's code.
        code: String,
    },
}

fn described(message: &str) -> String {
    if message.is_empty() {
        String::new()
    } else {
        format!(" ({message})")
    }
}

/// What MSAL throws.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Thrown {
    name: String,
    error_code: String,
    error_message: String,
}

/// Codes for which nothing but the person helps, whoever says them.
const INTERACTION: [&str; 14] = [
    "bad_token",
    "consent_required",
    "interaction_required",
    "interrupted_user",
    "invalid_grant",
    "login_required",
    "no_account_error",
    "no_account_found",
    "no_account_in_silent_request",
    "no_tokens_found",
    "refresh_token_expired",
    "token_refresh_required",
    "ui_not_allowed",
    "native_account_unavailable",
];

/// Codes of answers that did not come.
const UNREACHABLE: [&str; 7] = [
    "endpoints_resolution_error",
    "failed_to_parse_response",
    "get_request_failed",
    "network_error",
    "no_network_connectivity",
    "openid_config_error",
    "post_request_failed",
];

impl SignInError {
    /// What MSAL threw, for a realm's authority.
    pub(crate) fn of(thrown: &JsValue, authority: &str) -> Self {
        Thrown::read(thrown).told(authority)
    }

    /// What was thrown where MSAL was to be loaded and set up.
    pub(crate) fn of_opening(thrown: &JsValue, authority: &str) -> Self {
        let thrown = Thrown::read(thrown);
        if thrown.error_code.is_empty() {
            SignInError::NotLoaded
        } else {
            thrown.told(authority)
        }
    }

    /// Whether signing in may help.
    pub fn wants_sign_in(&self) -> bool {
        matches!(
            self,
            Self::InteractionNeeded { .. } | Self::OtherServer { .. }
        )
    }
}

impl Thrown {
    /// What is no error of MSAL's has no code.
    fn read(thrown: &JsValue) -> Self {
        serde_wasm_bindgen::from_value(thrown.clone()).unwrap_or_default()
    }

    fn told(self, authority: &str) -> SignInError {
        let authority = authority.to_owned();
        match self.error_code.as_str() {
            "" => SignInError::Failed {
                authority,
                code: "unexpected".to_owned(),
            },
            "user_cancelled" | "user_canceled" | "interaction_in_progress_cancelled" => {
                SignInError::Cancelled
            }
            "popup_window_error" | "empty_window_error" => SignInError::PopupBlocked,
            "timed_out" => SignInError::TimedOut,
            "interaction_in_progress" => SignInError::Busy,
            "crypto_nonexistent" => SignInError::Insecure,
            code if INTERACTION.contains(&code) => SignInError::InteractionNeeded { authority },
            code if UNREACHABLE.contains(&code) => SignInError::Unreachable { authority },
            code => {
                let code = told(code);
                match self.name.as_str() {
                    "InteractionRequiredAuthError" => SignInError::InteractionNeeded { authority },
                    "ServerError" => SignInError::Refused {
                        authority,
                        code,
                        message: told(description(&self.error_message)),
                    },
                    "ClientConfigurationError" => SignInError::Misconfigured { authority, code },
                    _ => SignInError::Failed { authority, code },
                }
            }
        }
    }
}

/// What the authority said, of MSAL's message about it: for a token's request that has numbers and times around it.
fn description(message: &str) -> &str {
    let start = message.split_once(" - Description: ");
    start.map_or(message, |(_, rest)| {
        rest.rsplit_once(" - Correlation ID: ")
            .map_or(rest, |(description, _)| description)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str, code: &str, message: &str) -> SignInError {
        let thrown = Thrown {
            name: name.to_owned(),
            error_code: code.to_owned(),
            error_message: message.to_owned(),
        };
        thrown.told("https://id.example")
    }

    #[test]
    fn descriptions_are_the_authoritys() {
        let message = "Error(s): 7 - Timestamp: now - Description: not today - Correlation ID: 1 - Trace ID: 2";
        assert_eq!(description(message), "not today");
        assert_eq!(description("not today"), "not today");
    }

    #[test]
    fn what_msal_throws_is_told_apart() {
        let authority = || "https://id.example".to_owned();
        let code = "code-".repeat(20);
        for (name, thrown, message, error) in [
            (
                "TypeError",
                "",
                code.as_str(),
                SignInError::Failed {
                    authority: authority(),
                    code: "unexpected".to_owned(),
                },
            ),
            (
                "BrowserAuthError",
                "user_cancelled",
                "",
                SignInError::Cancelled,
            ),
            (
                "BrowserAuthError",
                "popup_window_error",
                "",
                SignInError::PopupBlocked,
            ),
            ("BrowserAuthError", "timed_out", "", SignInError::TimedOut),
            (
                "NetworkError",
                "get_request_failed",
                "",
                SignInError::Unreachable {
                    authority: authority(),
                },
            ),
            (
                "ServerError",
                "invalid_grant",
                "",
                SignInError::InteractionNeeded {
                    authority: authority(),
                },
            ),
            (
                "InteractionRequiredAuthError",
                "other",
                "",
                SignInError::InteractionNeeded {
                    authority: authority(),
                },
            ),
            (
                "ClientConfigurationError",
                "authority_uri_insecure",
                "",
                SignInError::Misconfigured {
                    authority: authority(),
                    code: "authority_uri_insecure".to_owned(),
                },
            ),
            (
                "ServerError",
                "access_denied",
                code.as_str(),
                SignInError::Refused {
                    authority: authority(),
                    code: "access_denied".to_owned(),
                    message: "…".to_owned(),
                },
            ),
            (
                "ClientAuthError",
                "nonce_mismatch",
                code.as_str(),
                SignInError::Failed {
                    authority: authority(),
                    code: "nonce_mismatch".to_owned(),
                },
            ),
        ] {
            assert_eq!(told(name, thrown, message), error);
            assert!(!error.to_string().contains("code-code"));
        }
    }
}
