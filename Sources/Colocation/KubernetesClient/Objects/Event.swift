// What happened to an object, in the words that `kubectl describe` shows.

import Encoding

/// An object that others speak of.
public struct ObjectReference: Sendable, Hashable {
  public var apiVersion: String
  public var kind: String
  public var name: String
  /// Empty for objects without one.
  public var namespace: String
  public var uid: String

  public init(
    apiVersion: String = "v1", kind: String, name: String, namespace: String = "", uid: String = ""
  ) {
    (self.apiVersion, self.kind, self.name) = (apiVersion, kind, name)
    (self.namespace, self.uid) = (namespace, uid)
  }

  /// kubectl looks for the events of a node under its name in place of its uid.
  public init(node: Node) { self.init(kind: "Node", name: node.name, uid: node.name) }

  public init(pod: Pod) {
    self.init(
      kind: "Pod", name: pod.name, namespace: pod.metadata.namespace, uid: pod.metadata.uid)
  }

  init(from reader: inout JSONReader) throws(ReadingError) {
    self.init(apiVersion: "", kind: "", name: "")
    try reader.fields { reader, name throws(ReadingError) in
      switch name {
      case "apiVersion": apiVersion = try reader.text()
      case "kind": kind = try reader.text()
      case "name": self.name = try reader.text()
      case "namespace": namespace = try reader.text()
      case "uid": uid = try reader.text()
      default: return false
      }
      return true
    }
  }

  var body: JSONValue {
    .fields([
      "apiVersion": .string(apiVersion), "kind": .string(kind), "name": .string(name),
      "namespace": namespace.isEmpty ? nil : .string(namespace),
      "uid": uid.isEmpty ? nil : .string(uid),
    ])
  }
}

public struct Event: KubernetesObject {
  public static let kinds = [
    ObjectKind(group: "events.k8s.io", kind: "Event", plural: "events", isNamespaced: true),
    core,
  ]
  static let core = ObjectKind(kind: "Event", plural: "events", isNamespaced: true)

  public var metadata = Metadata()
  public var about: ObjectReference
  /// A word such as `Reclaimed`, at most 128 bytes.
  public var reason: String
  /// A sentence, at most 1024 bytes: more is cut off.
  public var note: String
  /// What was done because of it, a word.
  public var action: String
  public var isWarning: Bool
  /// Who says so, such as `liburna.io/bebida`, and which one of these.
  public var reporter: String
  public var instance: String
  public var time: Timestamp

  static let longestNote = 1024

  public init(
    about: ObjectReference, reason: String, note: String, action: String, isWarning: Bool = false,
    reporter: String, instance: String, time: Timestamp = .now
  ) {
    (self.about, self.reason, self.note, self.action) = (about, reason, note, action)
    (self.isWarning, self.reporter, self.instance, self.time) =
      (isWarning, reporter, instance, time)
    // An event lives where its object does.
    metadata.namespace = about.namespace.isEmpty ? "default" : about.namespace
    // A name of its own: told twice, it is told once. Names may have 253 bytes.
    let number = String(UInt64.random(in: 0 ... .max), radix: 16)
    metadata.name = "\(about.name.prefix(200)).\(number)"
  }

  public init(from reader: inout JSONReader) throws(ReadingError) {
    self.init(
      about: ObjectReference(kind: "", name: ""), reason: "", note: "", action: "", reporter: "",
      instance: "", time: Timestamp(microseconds: 0))
    try reader.fields { reader, name throws(ReadingError) in
      switch name {
      case "metadata": metadata = try Metadata(from: &reader)
      case "regarding", "involvedObject": about = try ObjectReference(from: &reader)
      case "reason": reason = try reader.text()
      case "note", "message": note = try reader.text()
      case "action": action = try reader.text()
      case "type": isWarning = try reader.text() == "Warning"
      case "reportingController", "reportingComponent": reporter = try reader.text()
      case "reportingInstance": instance = try reader.text()
      case "eventTime", "deprecatedLastTimestamp", "lastTimestamp": time = try reader.time()
      default: return false
      }
      return true
    }
  }

  /// The event as either of its kinds has it.
  func body(as kind: ObjectKind) -> JSONValue {
    let isCore = kind.group.isEmpty
    let stamp: JSONValue = .string(time.description)
    return .fields([
      "apiVersion": .string(kind.apiVersion), "kind": .string("Event"),
      "metadata": .fields([
        "name": .string(metadata.name), "namespace": .string(metadata.namespace),
      ]),
      isCore ? "involvedObject" : "regarding": about.body,
      "reason": .string(reason), isCore ? "message" : "note": .string(shortNote),
      "type": .string(isWarning ? "Warning" : "Normal"), "action": .string(action),
      isCore ? "reportingComponent" : "reportingController": .string(reporter),
      "reportingInstance": .string(instance), "eventTime": isCore ? nil : .string(time.precise),
      "source": isCore ? .fields(["component": .string(reporter)]) : nil,
      "firstTimestamp": isCore ? stamp : nil, "lastTimestamp": isCore ? stamp : nil,
      "count": isCore ? .number("1") : nil,
    ])
  }

  private var shortNote: String {
    var text = note
    while text.utf8.count > Self.longestNote { text.removeLast() }
    return text
  }
}
