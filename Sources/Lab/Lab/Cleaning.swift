// What dead tools and lost directories left behind: found again without knowing which labs there were,
// and removed. Labs that are well are left alone.

import Glibc

/// Something that was found and removed.
public struct Leftover: Equatable, Sendable {
  public var lab: String
  /// In a few words.
  public var what: String
}

extension Lab {
  /// Where labs are kept, for who calls: where LIBURNA_LAB_DIR says, or in the standard place.
  public static var place: String {
    let named = getenv(placeVariable).map { String(cString: $0) } ?? ""
    return named.isEmpty ? (geteuid() == 0 ? standardDirectory : Rootless.place) : named
  }

  /// The labs of a place where labs are kept, by name.
  public static func all(in place: String = Lab.place) -> [Lab] {
    Files.list(place).compactMap { try? Lab(name: $0, directory: "\(place)/\($0)") }
  }

  /// Removes the labs that are not whole: whose start was never completed or whose holder is gone, and
  /// groups of processes whose lab's directory is no more. A lab that a tool is working on is left.
  public static func clean(in place: String = Lab.place) throws -> [Leftover] {
    var found: [Leftover] = []
    var failure: (any Error)?
    for lab in all(in: place) {
      guard let lock = try LabLock(soonFree: lab.paths.directory) else { continue }
      defer { lock.release() }
      guard let what = lab.damage else { continue }
      do {
        try lab.remove()
        found.append(Leftover(lab: lab.name, what: what))
      } catch {
        // The others are removed all the same.
        failure = failure ?? error
      }
    }
    found += try removeOrphans(of: place)
    rmdir(place)
    if let failure { throw failure }
    return found
  }

  /// Why the lab is not whole, or nil if it is. The caller holds the lock.
  private var damage: String? {
    let known: LabState?
    do {
      known = try state()
    } catch {
      return "a state that can't be read"
    }
    guard let state = known else { return "a directory without a state" }
    guard state.phase == .running else { return "a start that was not completed" }
    guard state.holder?.isAlive ?? true else { return "hosts whose switch is gone" }
    return nil
  }

  /// Ends groups of processes of labs of this place that have no directory.
  private static func removeOrphans(of place: String) throws -> [Leftover] {
    let hierarchies = try Cgroups.detect(group: groupPrefix).hierarchies
    var names: Set<String> = []
    for hierarchy in hierarchies {
      guard let slash = hierarchy.directory.lastIndex(of: "/") else { continue }
      for group in Files.list(String(hierarchy.directory[..<slash])) {
        if let name = name(ofGroup: group, in: place) { names.insert(name) }
      }
    }
    return try names.sorted().compactMap { name in
      let lab = try Lab(name: name, directory: "\(place)/\(name)")
      // Making the directory is what a start does first: whoever has the lock is alone with the lab.
      guard let lock = try? LabLock(making: lab.paths.directory) else { return nil }
      defer { lock.release() }
      guard try lab.state() == nil else { return nil }
      try Cgroups.detect(group: lab.group).remove()
      try lab.remove()
      return Leftover(lab: name, what: "processes of a lab whose directory was lost")
    }
  }

  /// The name of the lab of this place that a group belongs to; nil for all other groups.
  private static func name(ofGroup group: String, in place: String) -> String? {
    var group = group
    if group.hasSuffix(".scope") { group.removeLast(".scope".count) }
    guard group.hasPrefix(groupPrefix), let dash = group.lastIndex(of: "-") else { return nil }
    let name = String(group[..<dash].dropFirst(groupPrefix.count))
    // The digest at its end tells in which place the lab is.
    guard let lab = try? Lab(name: name, directory: "\(place)/\(name)"), lab.group == group,
      !Files.exists(lab.paths.state)
    else { return nil }
    return name
  }

  /// What the names of labs' groups begin with.
  static let groupPrefix = "liburna-lab-"
}
