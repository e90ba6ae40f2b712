//! The macros of `spoor-plugin`. They read signatures and doc comments and write the constants of its `describe`
//! module; everything that runs is there and not here.

mod docs;
mod function;
mod plugin;
mod row;

use proc_macro::TokenStream;
use syn::parse_macro_input;

/// Makes a function callable as one of a plugin's: its manifest entry comes from its signature and its doc comment,
/// whose first paragraph is the summary. See the crate's page for what it may take and return.
#[proc_macro_attribute]
pub fn function(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let of = parse_macro_input!(item as syn::ItemFn);
    finish(function::expand(attribute.into(), of))
}

/// Makes the module's exports and its manifest section of the functions listed:
///
/// `plugin! { functions: [a, b], capabilities: [log], limits: { fuel: 1000 }, name: "...", ... }`
///
/// `name`, `version`, `licence`, `summary`, `authors` and `homepage` are the package's where they are left out.
#[proc_macro]
pub fn plugin(input: TokenStream) -> TokenStream {
    finish(plugin::expand(input.into()))
}

/// A row of the input: the fields are the function's column parameters, in order. `#[input(optional)]` on a field of
/// type `Option<T>` lets a call leave the column out.
#[proc_macro_derive(Input, attributes(input))]
pub fn input(item: TokenStream) -> TokenStream {
    let of = parse_macro_input!(item as syn::DeriveInput);
    finish(row::input(of))
}

/// A row of the answer: a column for each field, called as the field in PascalCase or as
/// `#[output(name = "...")]` says.
#[proc_macro_derive(Output, attributes(output))]
pub fn output(item: TokenStream) -> TokenStream {
    let of = parse_macro_input!(item as syn::DeriveInput);
    finish(row::output(of))
}

fn finish(made: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    made.unwrap_or_else(syn::Error::into_compile_error).into()
}
