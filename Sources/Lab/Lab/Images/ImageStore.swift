// The store of images: layers in a cache directory, each in a directory named by a digest of what it
// was made from, so that whatever asks for the same gets the same, made once.

import Compositions
import Glibc

public struct ImageStore: Sendable {
  /// Where layers are kept, absolute.
  public let directory: String
  /// An executable whose `lab` sub-command calls `Lab.runHidden`.
  let program: String

  /// How long the making of one image may take unless the caller says otherwise, in seconds.
  public static let patience = 900
  /// The hidden command by which the tool's own program builds a layer.
  static let buildCommand = "__build"

  public init(directory: String, program: String) throws {
    guard directory.hasPrefix("/"), directory.utf8.count <= 200 else {
      throw LabError("\(directory) can't hold images; use an absolute path of at most 200 bytes")
    }
    (self.directory, self.program) = (directory, program)
  }

  /// The store where images are kept: where LIBURNA_CACHE_DIR says, else in the system's cache for
  /// root, and in the user's own for others.
  public init(program: String) throws {
    try self.init(directory: Self.standardDirectory, program: program)
  }

  public static var standardDirectory: String { place + "/images" }

  /// The variable of the environment that names another place.
  static let placeVariable = "LIBURNA_CACHE_DIR"

  /// The directory that images, and what else takes long to make, are kept in.
  static var place: String {
    func variable(_ name: String) -> String? {
      getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
    if let place = variable(placeVariable) { return place }
    if geteuid() == 0 { return "/var/cache/liburna" }
    let cache = variable("XDG_CACHE_HOME") ?? (variable("HOME") ?? "") + "/.cache"
    return cache + "/liburna"
  }

  /// Makes an image ready: from the store, or by making what is missing there.
  ///
  /// - Parameters:
  ///   - packages: names of Debian packages that it has to have, in any order.
  ///   - timeout: the most seconds that it may take.
  ///   - progress: told what takes its time, in a few words.
  /// - Throws: ``LabError``, which says what failed and what to do.
  public func prepare(
    _ source: RootSource, packages: [String] = [], timeout: Int = ImageStore.patience,
    progress: @escaping (String) -> Void = { _ in }
  ) throws -> Image {
    let work = StoreWork(deadline: Deadline(seconds: timeout), progress: progress)
    return try prepare(source, packages: packages, work)
  }

  func prepare(_ source: RootSource, packages: [String], _ work: StoreWork) throws -> Image {
    let packages = Set(packages).sorted()
    try Packages.check(packages)
    switch source {
    case .host:
      try Packages.requireOnMachine(packages, deadline: work.deadline)
      return .host
    case .directory(let path):
      return try withPackages(packages, on: try directoryImage(path, work), work)
    case .archive(let path):
      return try withPackages(packages, on: try archiveImage(path, work), work)
    case .image(let name):
      return try withPackages(packages, on: try engineImage(name, work), work)
    case .debian(let suite):
      return try withPackages(packages, on: try debianImage(suite, work), work)
    }
  }

  // MARK: - Paths

  func layer(_ key: String) -> String { directory + "/layers/" + key }
  /// The root directory of a layer.
  func root(_ key: String) -> String { layer(key) + "/root" }
  func record(_ key: String) -> String { layer(key) + "/record" }
  /// Where a layer is made; the lock of its making.
  func building(_ key: String) -> String { directory + "/building/" + key }
  /// What was written while a layer was made, and its making failed.
  func log(_ key: String) -> String { directory + "/logs/" + key + ".log" }

  /// What the store remembers of a layer, or nil if it has none of that key.
  func layerRecord(_ key: String) -> LayerRecord? {
    guard Files.exists(record(key)) else { return nil }
    return try? Kept.read(LayerRecord.self, from: record(key))
  }

  /// The image whose topmost layer this is.
  func image(_ record: LayerRecord) -> Image {
    // The time of the last use, for whoever removes what nobody uses.
    utimensat(AT_FDCWD, self.record(record.key), nil, 0)
    return Image(
      key: record.key, origin: record.origin,
      directories: [root(record.key)] + record.below.map(root) + record.outside)
  }
}

/// What goes with one call to the store.
struct StoreWork {
  var deadline: Deadline
  var progress: (String) -> Void
}
