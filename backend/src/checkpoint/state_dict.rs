//! The tensors that a pickled state dict names.

use std::collections::BTreeMap;

use super::pickle::{Pickle, TensorRef, Value};

/// The named tensors of the pickle: those of the dict itself or, where it has none, of the one dict of tensors in it
/// (`{"state_dict": {…}, "epoch": 3}`).
///
/// Empty where there are none.
pub(super) fn named_tensors<'a, 'p>(
    pickle: &'p Pickle<'a>,
) -> BTreeMap<&'a str, &'p TensorRef<'a>> {
    let Value::Dict(entries) = pickle.root() else { return BTreeMap::new() };
    let own = tensors_of(pickle, pickle.root());
    if !own.is_empty() {
        return own;
    }
    let mut inner = entries.iter().map(|(_, value)| tensors_of(pickle, pickle.get(*value)));
    let mut inner = inner.by_ref().filter(|tensors| !tensors.is_empty());
    match (inner.next(), inner.next()) {
        (Some(tensors), None) => tensors,
        _ => BTreeMap::new(),
    }
}

fn tensors_of<'a, 'p>(
    pickle: &'p Pickle<'a>,
    value: &Value<'a>,
) -> BTreeMap<&'a str, &'p TensorRef<'a>> {
    let Value::Dict(entries) = value else { return BTreeMap::new() };
    let tensor = |(name, value): &(usize, usize)| match (pickle.get(*name), pickle.get(*value)) {
        (Value::Text(name), Value::Tensor(tensor)) => Some((*name, tensor)),
        _ => None,
    };
    entries.iter().filter_map(tensor).collect()
}
