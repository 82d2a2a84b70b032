// The processes of pods on this host: found by the cgroups that the kubelet keeps them in, ended, and kept from
// running by freezing these cgroups while the host is closed. A process that is put into a frozen cgroup stops
// before its first instruction there.

import Glibc
import Wire

struct PodGroups {
  let groups: any ControlGroups
  let keeping: PodKeeping

  /// The processes of pods that may not stay.
  var processes: [pid_t] { closedPaths.flatMap { groups.processes($0) } }

  /// Sends SIGKILL to all processes of pods that may not stay.
  func killAll() {
    for path in closedPaths { groups.killAll(path) }
  }

  /// Freezes what pods that may not stay would run in, as far as there is a freezer. What is not there is passed
  /// over.
  func freeze() {
    for path in closedPaths { try? groups.setFrozen(path, true) }
  }

  /// Lets those go on that may stay.
  func thawSpared() {
    for path in present { thawSpared(below: path) }
  }

  private func thawSpared(below path: String) {
    if isSpared(path) {
      try? thaw(path)
    } else if holdsSpared(path) {
      try? groups.setFrozen(path, false)
      for child in groups.children(path) { thawSpared(below: "\(path)/\(child)") }
    }
  }

  /// The directories in which cgroups of pods may come to be that nothing keeps frozen: above all of them, and beside
  /// those that may stay.
  var openDirectories: Set<String> {
    let roots = Set(keeping.groups.map { parent(of: $0) })
    let inner = keeping.spared.isEmpty ? [] : present.flatMap { openPaths(below: $0) }
    return Set((roots + inner).flatMap { groups.directories($0) })
  }

  private func parent(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
  }

  private func openPaths(below path: String) -> [String] {
    guard !isSpared(path), holdsSpared(path) else { return [] }
    return [path] + groups.children(path).flatMap { openPaths(below: "\(path)/\($0)") }
  }

  /// Thaws all cgroups of pods, each by itself: where some might stay, those of others were frozen one by one.
  func thaw() throws(SystemError) {
    for path in present { try thaw(path) }
  }

  private func thaw(_ path: String) throws(SystemError) {
    do {
      try groups.setFrozen(path, false)
    } catch  where error.code == ENOENT {
      // The kubelet has removed it meanwhile.
      return
    }
    for child in groups.children(path) { try thaw("\(path)/\(child)") }
  }

  private var present: [String] { keeping.groups.filter { groups.exists($0) } }

  /// The cgroups that hold no pod which may stay: whole ones where none may.
  private var closedPaths: [String] {
    keeping.spared.isEmpty ? present : present.flatMap { closedPaths(below: $0) }
  }

  private func closedPaths(below path: String) -> [String] {
    guard !isSpared(path) else { return [] }
    let children = groups.children(path).map { "\(path)/\($0)" }
    guard children.contains(where: { isSpared($0) || holdsSpared($0) }) else { return [path] }
    return children.flatMap { closedPaths(below: $0) }
  }

  private func holdsSpared(_ path: String) -> Bool {
    groups.children(path).contains { isSpared("\(path)/\($0)") || holdsSpared("\(path)/\($0)") }
  }

  /// The kubelet names a pod's cgroup `pod<uid>`, or with systemd `…-pod<uid>.slice` with `_` for `-`.
  private func isSpared(_ path: String) -> Bool {
    guard let name = path.split(separator: "/").last else { return false }
    return keeping.spared.contains { uid in
      name == "pod\(uid)"
        || name.hasSuffix("-pod\(uid.map { $0 == "-" ? "_" : String($0) }.joined()).slice")
    }
  }
}
