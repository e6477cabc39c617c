"""Reading live state: what one `sh` script printed on a host, parsed into one document."""
