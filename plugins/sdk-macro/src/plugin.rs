//! `plugin!`.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, Ident, LitStr, Path, Result, Token, braced, bracketed};

use crate::function::constant;

/// What stands in `plugin! { ... }`.
#[derive(Default)]
struct Said {
    name: Option<String>,
    version: Option<String>,
    licence: Option<String>,
    summary: Option<String>,
    homepage: Option<String>,
    authors: Option<Vec<String>>,
    capabilities: Vec<String>,
    limits: Vec<(String, Expr)>,
    functions: Vec<Path>,
}

const KNOWN: &str =
    "name, version, licence, summary, authors, homepage, capabilities, limits, functions";

impl Parse for Said {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut said = Said::default();
        while !input.is_empty() {
            let key: Ident = input.parse()?;
            input.parse::<Token![:]>()?;
            match key.to_string().as_str() {
                "name" => said.name = Some(text(input)?),
                "version" => said.version = Some(text(input)?),
                "licence" => said.licence = Some(text(input)?),
                "summary" => said.summary = Some(text(input)?),
                "homepage" => said.homepage = Some(text(input)?),
                "authors" => said.authors = Some(list(input, text)?),
                "capabilities" => {
                    said.capabilities = list(input, |of| Ok(of.parse::<Ident>()?.to_string()))?;
                }
                "limits" => said.limits = limits(input)?,
                "functions" => said.functions = list(input, Path::parse)?,
                _ => return Err(Error::new(key.span(), format!("one of: {KNOWN}"))),
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(said)
    }
}

fn text(input: ParseStream<'_>) -> Result<String> {
    Ok(input.parse::<LitStr>()?.value())
}

fn list<T>(input: ParseStream<'_>, one: fn(ParseStream<'_>) -> Result<T>) -> Result<Vec<T>> {
    let inside;
    bracketed!(inside in input);
    let items = Punctuated::<T, Token![,]>::parse_terminated_with(&inside, one)?;
    Ok(items.into_iter().collect())
}

fn limits(input: ParseStream<'_>) -> Result<Vec<(String, Expr)>> {
    let inside;
    braced!(inside in input);
    let one = |of: ParseStream<'_>| {
        let name = of.parse::<Ident>()?.to_string();
        of.parse::<Token![:]>()?;
        Ok((name, of.parse()?))
    };
    let items = Punctuated::<(String, Expr), Token![,]>::parse_terminated_with(&inside, one)?;
    Ok(items.into_iter().collect())
}

/// The package's own word for what was left out.
fn or_package(said: Option<String>, variable: &str, key: &str) -> Result<String> {
    let value = said.or_else(|| std::env::var(variable).ok());
    value.filter(|value| !value.is_empty()).ok_or_else(|| {
        Error::new(
            Span::call_site(),
            format!("say `{key}: \"...\"` here, or in Cargo.toml"),
        )
    })
}

pub fn expand(input: TokenStream) -> Result<TokenStream> {
    let said: Said = syn::parse2(input)?;
    if said.functions.is_empty() {
        return Err(Error::new(
            Span::call_site(),
            "list the plugin's functions: `functions: [one, two]`",
        ));
    }
    let name = or_package(said.name, "CARGO_PKG_NAME", "name")?;
    let version = or_package(said.version, "CARGO_PKG_VERSION", "version")?;
    let licence = or_package(said.licence, "CARGO_PKG_LICENSE", "licence")?;
    let summary = or_package(said.summary, "CARGO_PKG_DESCRIPTION", "summary")?;
    let package = |variable| std::env::var(variable).unwrap_or_default();
    let homepage = said
        .homepage
        .unwrap_or_else(|| package("CARGO_PKG_HOMEPAGE"));
    let authors = said.authors.unwrap_or_else(|| {
        let all = package("CARGO_PKG_AUTHORS");
        let each = all.split(':').filter(|author| !author.is_empty());
        each.map(String::from).collect()
    });
    let capabilities = said.capabilities;
    let limits = said
        .limits
        .iter()
        .map(|(name, value)| quote!((#name, #value)));
    let functions = said.functions.into_iter().map(described);
    let exports = exports();
    Ok(quote! {
        /// The plugin, for tests that call it natively.
        pub const PLUGIN: ::spoor_plugin::Plugin = ::spoor_plugin::Plugin {
            name: #name,
            version: #version,
            licence: #licence,
            summary: #summary,
            authors: &[#(#authors),*],
            homepage: #homepage,
            capabilities: &[#(#capabilities),*],
            limits: &[#(#limits),*],
            functions: &[#(#functions),*],
        };

        /// The plugin's manifest: the section of the module.
        #[used]
        #[cfg_attr(target_family = "wasm", unsafe(link_section = "spoor.manifest"))]
        pub static MANIFEST: [u8; ::spoor_plugin::describe::manifest_length(&PLUGIN)] =
            ::spoor_plugin::describe::manifest_bytes(&PLUGIN);

        #exports
    })
}

/// The path of a function as that of the constant which describes it.
fn described(mut function: Path) -> Path {
    if let Some(last) = function.segments.last_mut() {
        last.ident = constant(&last.ident);
    }
    function
}

fn exports() -> TokenStream {
    quote! {
        #[cfg(target_family = "wasm")]
        const _: () = {
            #[unsafe(no_mangle)]
            extern "C" fn spoor_abi_1() {}

            #[unsafe(no_mangle)]
            static spoor_panic: ::spoor_plugin::guest::LastWords =
                ::spoor_plugin::guest::LastWords::new();

            #[unsafe(no_mangle)]
            extern "C" fn alloc(length: u32) -> *mut u8 {
                ::spoor_plugin::guest::alloc(length)
            }

            #[unsafe(no_mangle)]
            unsafe extern "C" fn call(pointer: *const u8, length: u32) -> i64 {
                // SAFETY: the host writes a frame to what `alloc` gave it, and passes that range.
                unsafe { ::spoor_plugin::guest::call(&PLUGIN, &spoor_panic, pointer, length) }
            }
        };
    }
}
