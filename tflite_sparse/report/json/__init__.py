"""Reports as JSON documents, described by the schemas in schema/."""
