// An image: what hosts' file systems begin as. It is a stack of layers, directories that an overlay
// shows as one; several images share the layers below.

/// A root file system made ready.
public struct Image: Equatable, Codable, Sendable {
  /// Tells images apart: a digest of all that it was made from. Empty for the machine's own root.
  public var key: String
  /// What it was made from, for people.
  public var origin: String
  /// The layers for `lowerdir=`, topmost first, absolute; empty for the machine's own root.
  public var directories: [String]

  public init(key: String, origin: String, directories: [String]) {
    (self.key, self.origin, self.directories) = (key, origin, directories)
  }

  /// The machine's own root.
  public static let host = Image(key: "", origin: "this machine's own files", directories: [])
}

/// What the store remembers of a layer that it made.
struct LayerRecord: Equatable, Codable {
  var key: String
  var origin: String
  /// The layers below, topmost first, that are in the store as well.
  var below: [String]
  /// The directories below that are not the store's, topmost first.
  var outside: [String]
  /// Bytes of its own.
  var size: Int
  /// Seconds since 1970.
  var made: Int
}

/// A layer as the list shows it.
public struct StoredLayer: Equatable, Codable, Sendable {
  public var key: String
  public var origin: String
  /// Bytes on the disk, with what was exported from it.
  public var size: Int
  /// Seconds since 1970.
  public var made: Int
  /// Seconds since 1970.
  public var used: Int
  /// The keys of the layers that it lies on, topmost first.
  public var below: [String]
}
