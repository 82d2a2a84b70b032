// What many jobs ask for, each request once, put together from rows.

import ClusterModel

/// Puts moldables together from rows in the order of moldable and group.
struct MoldableBuilder {
  private(set) var moldables: [Moldable] = []
  private var moldable: MoldableID?
  private var group: Int?
  /// The order of the levels of the present group; the key gives them by name.
  private var orders: [Int] = []

  mutating func add(
    _ moldable: MoldableID, walltime: Seconds, group: Int, properties: String,
    _ level: RequestLevel, order: Int
  ) {
    if moldable != self.moldable {
      self.moldable = moldable
      self.group = nil
      moldables.append(Moldable(walltime: walltime, groups: []))
    }
    let last = moldables.count - 1
    if group != self.group {
      self.group = group
      moldables[last].groups.append(RequestGroup(properties: properties, levels: []))
      orders.removeAll()
    }
    let place = orders.firstIndex { $0 > order } ?? orders.count
    orders.insert(order, at: place)
    moldables[last].groups[moldables[last].groups.count - 1].levels.insert(level, at: place)
  }
}

/// The moldables of many jobs; equal ones are kept once.
struct LiveShapes {
  /// What some jobs may run in.
  struct Shape {
    var moldables: [Moldable]
    /// Why no job can be made of it; `nil` if one can.
    var problem: String?
  }

  /// What a job may run in.
  struct Entry {
    /// The place of its moldables in ``shapes``.
    var shape: Int
    var firstMoldable: MoldableID
    /// All of them, if they don't follow each other.
    var scattered: [MoldableID]
  }

  private(set) var shapes: [Shape] = []
  private(set) var entries: [JobID: Entry] = [:]
  private var places: [Fingerprint: Int] = [:]
  /// The last job's: most jobs are like the one before, and comparing is cheaper than hashing.
  private var last: (fingerprint: Fingerprint, shape: Int)?

  /// Adds a job with the numbers of its moldables, whose rows, in order, have this fingerprint.
  mutating func add(_ job: JobID, _ fingerprint: Fingerprint, ids: [MoldableID]) {
    guard let first = ids.first, let final = ids.last else { return }
    let isInARow = final - first + 1 == ids.count
    entries[job] = Entry(
      shape: place(of: fingerprint), firstMoldable: first, scattered: isInARow ? [] : ids)
  }

  private mutating func place(of fingerprint: Fingerprint) -> Int {
    if let last, last.fingerprint == fingerprint { return last.shape }
    let place: Int
    if let known = places[fingerprint] {
      place = known
    } else {
      shapes.append(Self.shape(of: fingerprint))
      place = shapes.count - 1
      places[fingerprint] = place
    }
    last = (fingerprint, place)
    return place
  }

  /// Reads what ``RequestReader/liveShapes(_:)`` wrote.
  private static func shape(of fingerprint: Fingerprint) -> Shape {
    var reader = fingerprint.reader
    var builder = MoldableBuilder()
    var problem: String?
    while !reader.isAtEnd {
      let (moldable, walltime, group) = (reader.number(), reader.number(), reader.number())
      let (properties, property) = (reader.text(), reader.text())
      let (value, order) = (reader.number(), reader.number())
      if walltime < 0 { problem = "its walltime is \(walltime) s" }
      if value < -3 || value == 0 { problem = "it asks for \(value) of a resource" }
      if properties == nil || property == nil { problem = "its request is not in UTF-8" }
      builder.add(
        moldable, walltime: walltime, group: group, properties: properties ?? "",
        RequestLevel(property ?? "", BlockCount(stored: value)), order: order)
    }
    return Shape(moldables: builder.moldables, problem: problem)
  }
}

/// The bytes of some columns, to tell equal rows without making values of them.
struct Fingerprint: Hashable {
  private var bytes: [UInt8] = []

  mutating func add(_ number: Int) {
    withUnsafeBytes(of: number) { bytes.append(contentsOf: $0) }
  }

  mutating func add(_ text: UnsafeBufferPointer<UInt8>) {
    add(text.count)
    bytes.append(contentsOf: text)
  }

  mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

  /// All at once: an array would hash byte by byte, which is ten times slower.
  func hash(into hasher: inout Hasher) {
    bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
  }

  var reader: Reader { Reader(bytes: bytes[...]) }

  /// Takes out what was put in, in the same order.
  struct Reader {
    fileprivate var bytes: ArraySlice<UInt8>

    var isAtEnd: Bool { bytes.isEmpty }

    mutating func number() -> Int {
      let size = MemoryLayout<Int>.size
      guard bytes.count >= size else { return 0 }
      defer { bytes.removeFirst(size) }
      return bytes.withUnsafeBytes { $0.loadUnaligned(as: Int.self) }
    }

    /// `nil` if it is not UTF-8.
    mutating func text() -> String? {
      let count = min(max(0, number()), bytes.count)
      defer { bytes.removeFirst(count) }
      return String(validating: bytes.prefix(count), as: UTF8.self)
    }
  }
}
