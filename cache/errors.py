"""What can be wrong with a cache. Each message says what, where, and which command helps."""


class CacheError(Exception):
    """Base of every error a reader or writer of caches raises on purpose."""


class CacheNotFound(CacheError):
    """There is no cache at the path."""


class CacheGone(CacheError):
    """The cache was there when it was opened, and is not any more."""


class SchemaMismatch(CacheError):
    """The cache was written by another version of the schema, or does not follow it."""


class CacheBusy(CacheError):
    """Another build holds the cache."""


class AttributeClash(CacheError):
    """Two columns of attributes would have one name."""


class BadQuery(CacheError):
    """A filter or sort names a column the cache does not have, or a value of the wrong kind."""


class BadSlice(CacheError):
    """A slice cannot be read, saved or deleted."""


class SliceExists(BadSlice):
    """There is a slice of that name already."""
