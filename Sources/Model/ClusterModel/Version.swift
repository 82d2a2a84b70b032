// The version of Liburna: of its programs, its manual pages and its packages.

/// Three numbers with points between them.
public let liburnaVersion = "0.1.0"
