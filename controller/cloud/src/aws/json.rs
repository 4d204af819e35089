//! AWS's structures as JSON and back, through the SDK's own codec: what a spec names is sent as it stands, without a second
//! struct for each of AWS's.

use super::failure::Failure;
use aws_smithy_json::codec::{JsonCodec, JsonCodecSettings};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeSerializationInterceptorContextMut;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_schema::codec::Codec;
use aws_smithy_schema::serde::{SerdeError, SerializableStruct, ShapeDeserializer, ShapeSerializer};
use aws_smithy_types::config_bag::ConfigBag;
use launchway_plan::world::Members;
use std::fmt;

fn codec() -> JsonCodec {
    JsonCodec::new(JsonCodecSettings::builder().build())
}

/// The SDK's input of an operation, from the operation's request as JSON.
pub(crate) fn input<I>(
    body: &Members,
    read: impl Fn(&mut dyn ShapeDeserializer) -> Result<I, SerdeError>,
) -> Result<I, Failure> {
    let text = serde_json::to_vec(body).map_err(|error| Failure::unbuilt(&error))?;
    read(&mut codec().create_deserializer(&text)).map_err(|error| Failure::unbuilt(&error))
}

/// A structure of an answer, as JSON.
pub(crate) fn members<T: SerializableStruct>(structure: &T) -> Members {
    let mut serializer = codec().create_serializer();
    let written = serializer.write_struct(structure.schema(), structure);
    let text = written.map(|()| serializer.finish()).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// Puts a whole input in the place of the empty one with which an operation was begun.
#[derive(Clone)]
pub(crate) struct Whole<I>(pub I);

impl<I> fmt::Debug for Whole<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Whole")
    }
}

impl<I: Clone + fmt::Debug + Send + Sync + 'static> Intercept for Whole<I> {
    fn name(&self) -> &'static str {
        "Whole"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(input) = context.input_mut().downcast_mut::<I>() {
            *input = self.0.clone();
        }
        Ok(())
    }
}
