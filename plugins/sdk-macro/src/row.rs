//! `#[derive(Input)]` and `#[derive(Output)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Field, Fields, Ident, LitStr, Result, Type};

use crate::docs;
use crate::function::with_static_lifetimes;

/// The fields of a struct that has names for them.
fn fields(of: &DeriveInput) -> Result<Vec<&Field>> {
    let wrong = || Error::new_spanned(&of.ident, "a row is a struct with named fields");
    let Data::Struct(data) = &of.data else {
        return Err(wrong());
    };
    match &data.fields {
        Fields::Named(named) if !named.named.is_empty() => Ok(named.named.iter().collect()),
        _ => Err(wrong()),
    }
}

fn name(field: &Field) -> Result<&Ident> {
    field
        .ident
        .as_ref()
        .ok_or_else(|| Error::new_spanned(field, "a row's fields have names"))
}

pub fn input(of: DeriveInput) -> Result<TokenStream> {
    let ident = &of.ident;
    let (mut columns, mut reads, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for (at, field) in fields(&of)?.into_iter().enumerate() {
        let name = name(field)?;
        let ty = &field.ty;
        let of_static = with_static_lifetimes(ty);
        let text = plain(name);
        let docs = docs::one_line(&docs::text(&field.attrs));
        let optional = is_optional(field)?;
        columns.push(quote!(::spoor_plugin::describe::InputColumn {
            name: #text,
            types: <#of_static as ::spoor_plugin::value::FromColumn<'static>>::TYPES,
            optional: #optional,
            docs: #docs,
        }));
        reads.push(match optional {
            true => quote!(let #name = match columns.get(#at)? {
                Some(column) => <#ty as ::spoor_plugin::value::FromColumn<'_>>::get(column, row)?,
                None => None,
            };),
            false => quote!(
                let #name = <#ty as ::spoor_plugin::value::FromColumn<'_>>::get(
                    columns.get(#at)?.as_ref()?,
                    row,
                )?;
            ),
        });
        names.push(name);
    }
    let (lifetime, generics) = lifetime(&of)?;
    Ok(quote! {
        impl<#lifetime> ::spoor_plugin::row::Input<#lifetime> for #ident #generics {
            const COLUMNS: &'static [::spoor_plugin::describe::InputColumn] = &[#(#columns),*];

            #[inline]
            fn read(
                columns: &[::core::option::Option<::spoor_plugin::column::Column<#lifetime>>],
                row: usize,
            ) -> ::core::option::Option<Self> {
                #(#reads)*
                Some(Self { #(#names),* })
            }
        }
    })
}

/// The lifetime of what a row borrows, and the generics that the struct is named with.
fn lifetime(of: &DeriveInput) -> Result<(TokenStream, TokenStream)> {
    let generics = &of.generics;
    let mut lifetimes = generics.lifetimes();
    let first = lifetimes.next().map(|found| found.lifetime.clone());
    if generics.params.len() > usize::from(first.is_some()) {
        return Err(Error::new_spanned(
            generics,
            "a row may have one lifetime and no other generics",
        ));
    }
    Ok(match first {
        Some(lifetime) => (quote!(#lifetime), quote!(<#lifetime>)),
        None => (quote!('row), quote!()),
    })
}

fn is_optional(field: &Field) -> Result<bool> {
    let mut optional = false;
    for attribute in &field.attrs {
        if attribute.path().is_ident("input") {
            attribute.parse_nested_meta(|meta| {
                optional = meta.path.is_ident("optional");
                match optional && is_option(&field.ty) {
                    true => Ok(()),
                    false => Err(meta.error("the one attribute is `optional`, on an Option<T>")),
                }
            })?;
        }
    }
    Ok(optional)
}

fn is_option(ty: &Type) -> bool {
    crate::function::last_segment(ty).is_some_and(|segment| segment.ident == "Option")
}

pub fn output(of: DeriveInput) -> Result<TokenStream> {
    let ident = &of.ident;
    let fields = fields(&of)?;
    let (mut columns, mut writes) = (Vec::new(), Vec::new());
    for (at, field) in fields.iter().enumerate() {
        let name = name(field)?;
        let ty = &field.ty;
        let of_static = with_static_lifetimes(ty);
        let text = column_name(field, name)?;
        let docs = docs::one_line(&docs::text(&field.attrs));
        columns.push(quote!(::spoor_plugin::describe::OutputColumn {
            name: #text,
            ty: <#of_static as ::spoor_plugin::value::IntoColumn>::TYPE,
            docs: #docs,
        }));
        writes.push(quote! {
            if let Some(column) = columns.get_mut(#at) {
                <#ty as ::spoor_plugin::value::IntoColumn>::push(self.#name, column);
            }
        });
    }
    let (_, generics) = lifetime(&of)?;
    Ok(quote! {
        impl #generics ::spoor_plugin::row::Output for #ident #generics {
            const COLUMNS: &'static [::spoor_plugin::describe::OutputColumn] = &[#(#columns),*];

            #[inline]
            fn write(self, columns: &mut [::spoor_plugin::column::ColumnBuilder]) {
                #(#writes)*
            }
        }
    })
}

fn column_name(field: &Field, name: &Ident) -> Result<String> {
    let mut said = None;
    for attribute in &field.attrs {
        if attribute.path().is_ident("output") {
            attribute.parse_nested_meta(|meta| {
                if !meta.path.is_ident("name") {
                    return Err(meta.error("the one attribute is `name = \"...\"`"));
                }
                said = Some(meta.value()?.parse::<LitStr>()?.value());
                Ok(())
            })?;
        }
    }
    Ok(said.unwrap_or_else(|| pascal(&plain(name))))
}

/// An identifier without `r#`.
pub fn plain(name: &Ident) -> String {
    let text = name.to_string();
    text.strip_prefix("r#").unwrap_or(&text).to_owned()
}

fn pascal(snake: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    snake.split('_').map(capital).collect()
}
