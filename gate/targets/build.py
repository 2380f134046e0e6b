"""What every provider's module does with a definition: find the endpoint, and put the exchange together."""

from collections.abc import Mapping

from gate.documents.wording import quoted
from gate.errors import ConfigurationError
from gate.targets.definition import TargetDefinition
from gate.targets.endpoint import Home, find_endpoint
from gate.targets.exchange import HttpTarget, SchemaCheck
from gate.targets.prices import Prices
from gate.targets.wire import Wire


def build_http(
    definition: TargetDefinition, wire: Wire, *, home: Home, environ: Mapping[str, str], prices: Prices
) -> HttpTarget:
    """Build the target; raises ConfigurationError for an unusable address, key or schema."""
    endpoint = find_endpoint(definition, environ, home)
    return HttpTarget(definition=definition, endpoint=endpoint, wire=wire, prices=prices, schema=_schema(definition))


def require_model(definition: TargetDefinition, example: str) -> str:
    """The model's name; raises ConfigurationError where there is none."""
    if not definition.model:
        message = f"target {quoted(definition.name)} names no model"
        hint = f"as in model: {{provider: {definition.provider}, name: {example}}}"
        raise ConfigurationError(message, hint=hint)
    return definition.model


def _schema(definition: TargetDefinition) -> SchemaCheck | None:
    if definition.response_schema is None:
        return None
    # jsonschema takes long to import, and few targets need it.
    from jsonschema.exceptions import SchemaError

    from gate.targets.schema import ResponseSchema

    try:
        return ResponseSchema.load(definition.response_schema)
    except (ValueError, SchemaError) as error:
        said = error.message if isinstance(error, SchemaError) else str(error)
        message = f"target {quoted(definition.name)}: response_schema cannot be used: {said[:200]}"
        raise ConfigurationError(
            message, hint="use JSON Schema Draft 2020-12 without references to elsewhere"
        ) from error
