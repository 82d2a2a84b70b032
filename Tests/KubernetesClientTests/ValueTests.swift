// Objects of the API as values: what is read of them, what is left alone, what is set aside.

import Encoding
import Testing

@testable import KubernetesClient

@Suite("Values of the API")
struct ValueTests {
  private func read<Object: KubernetesObject>(_ type: Object.Type, _ text: String) throws -> Object
  {
    var reader = JSONReader(Array(text.utf8))
    return try Object(from: &reader)
  }

  @Test("a pod is read with what has to be known before it goes, and unknown fields are left alone")
  func pod() throws {
    let pod = try read(
      Pod.self,
      #"""
      {"apiVersion":"v1","kind":"Pod","metadata":{"name":"web-1","namespace":"shop","uid":"u1",
       "resourceVersion":"42","annotations":{"a":"b"},"finalizers":["x/y"],"managedFields":[{"z":{}}],
       "deletionTimestamp":"2026-11-21T19:38:20Z","deletionGracePeriodSeconds":30,
       "ownerReferences":[{"apiVersion":"apps/v1","kind":"DaemonSet","name":"d","uid":"u2","controller":true}]},
       "spec":{"nodeName":"n1","priority":-5,"terminationGracePeriodSeconds":30,"future":[1,{"a":null}],
        "volumes":[{"name":"v","emptyDir":{}}],
        "tolerations":[{"key":"k","operator":"Exists","effect":"NoExecute","tolerationSeconds":300}]},
       "status":{"phase":"Running","containerStatuses":[
        {"name":"a","ready":false,"state":{"terminated":{"exitCode":137,"reason":"OOMKilled"}}},
        {"name":"b","ready":true,"state":{"running":{"startedAt":"2026-11-21T19:00:00Z"}}}],
        "initContainerStatuses":[{"name":"i","state":{"waiting":{"reason":"PodInitializing"}}}]}}
      """#)
    #expect(pod.name == "web-1" && pod.metadata.namespace == "shop" && pod.nodeName == "n1")
    #expect(pod.isOfDaemonSet && pod.isTerminating && !pod.isMirror && !pod.isOver)
    #expect(pod.priority == -5 && pod.grace == 30 && pod.hasEmptyDirectory)
    #expect(pod.metadata.finalizers == ["x/y"] && pod.metadata.deletionGrace == 30)
    #expect(pod.containers.map(\.name) == ["i", "a", "b"])
    #expect(pod.containers.map(\.state) == [.waiting, .terminated, .running])
    #expect(pod.containers[1].exitCode == 137 && pod.isAnyContainerRunning)
    let taint = Taint(key: "k", value: "v", effect: "NoExecute")
    #expect(pod.tolerations[0].tolerates(taint) && pod.tolerations[0].seconds == 300)
    #expect(!pod.tolerations[0].tolerates(Taint(key: "k", effect: "NoSchedule")))
  }

  @Test("a node is read with its taints, conditions and what pods may use")
  func node() throws {
    let node = try read(
      Node.self,
      #"""
      {"metadata":{"name":"n1","labels":{"zone":"a"}},
       "spec":{"unschedulable":true,"taints":[{"key":"k","effect":"NoSchedule"}]},
       "status":{"allocatable":{"cpu":"3900m","pods":110},
        "conditions":[{"type":"Ready","status":"True","lastTransitionTime":"2026-01-01T00:00:00Z"}]}}
      """#)
    #expect(node.isUnschedulable && node.isReady && node.metadata.labels == ["zone": "a"])
    #expect(node.taints == [Taint(key: "k", effect: "NoSchedule")])
    #expect(node.allocatable == ["cpu": "3900m", "pods": "110"])
  }

  @Test("damaged answers are read or refused, and never end the process")
  func damage() {
    let original = Array(
      #"""
      {"metadata":{"name":"p","labels":{"a":"\u00e9"},"ownerReferences":[{"controller":true}]},
       "spec":{"priority":-5,"tolerations":[{"tolerationSeconds":300}],"volumes":[{"emptyDir":{}}]},
       "status":{"containerStatuses":[{"state":{"terminated":{"exitCode":137}}}]},"code":1,
       "details":{"causes":[{"reason":"x"}]},"items":[{"metadata":{"name":"q"}}]}
      """#.utf8)
    let pieces = Array("{}[]\",:\\0-e.tn\u{0}\u{FF}".utf8)
    for round in 0..<3000 {
      var bytes = original
      for turn in 0...(round % 4) {
        let place = (round &* 7919 &+ turn &* 104_729) % bytes.count
        bytes[place] = pieces[(round / 7 + turn) % pieces.count]
      }
      if round % 5 == 0 { bytes.removeLast((round &* 31) % bytes.count) }
      var reader = JSONReader(bytes)
      _ = try? Pod(from: &reader)
      reader = JSONReader(bytes)
      _ = try? Node(from: &reader)
      _ = APIStatus(HTTPAnswer(status: 500, body: bytes, version: 11))
    }
  }

  @Test("a field of the wrong type is refused with its place")
  func wrongType() {
    #expect {
      try read(Node.self, #"{"metadata":{"name":"n"},"spec":{"taints":[{"key":7}]}}"#)
    } throws: { error in
      (error as? ReadingError)?.text.hasPrefix("spec.taints[0].key: it must be a text") == true
    }
  }

  @Test(
    "times are read as the API writes them and written as they were",
    arguments: [
      ("2026-11-21T19:38:20Z", 1_795_289_900_000_000), ("1970-01-01T00:00:00.000001Z", 1),
      ("2024-02-29T12:00:00.5+01:00", 1_709_204_400_500_000), ("1969-12-31T23:59:59Z", -1_000_000),
      ("2026-11-21T19:38:20.123456789Z", 1_795_289_900_123_456),
    ])
  func times(text: String, microseconds: Int64) throws {
    let time = try #require(Timestamp(text))
    #expect(time.microseconds == microseconds)
    #expect(Timestamp(time.precise) == time)
  }

  @Test(
    "what is no time is refused",
    arguments: [
      "", "now", "2026-13-01T00:00:00Z", "2026-11-21", "2026-11-21T19:38:20",
      "2026-11-21T19:38:20.Z",
    ])
  func noTimes(text: String) { #expect(Timestamp(text) == nil) }

  @Test("base64 goes there and back, and what is none is refused")
  func base64() {
    for count in 0..<70 {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37) }
      #expect(Base64.decode(Base64.encode(bytes)) == bytes)
    }
    for text in ["a", "ab==c", "a===", "ab!=", "====", "abc"] {
      #expect(Base64.decode(text) == nil)
    }
    #expect(Base64.decode("aGVs\n bG8=") == Array("hello".utf8))
  }

  @Test("a selector matches labels as the API does")
  func selector() throws {
    var reader = JSONReader(
      Array(
        #"""
        {"matchLabels":{"app":"x"},"matchExpressions":[{"key":"tier","operator":"NotIn","values":["db"]},
         {"key":"zone","operator":"Exists"}]}
        """#.utf8))
    let selector = try LabelSelector(from: &reader)
    #expect(selector.matches(["app": "x", "zone": "a"]))
    #expect(!selector.matches(["app": "x"]))
    #expect(!selector.matches(["app": "x", "zone": "a", "tier": "db"]))
    #expect(!selector.matches(["app": "y", "zone": "a"]))
  }

  @Test(
    "a conditional patch carries the version; steps are conditional by a conflict, not by a test")
  func patches() {
    let merge = Patch.merge(.fields(["metadata": .fields(["labels": .null]), "spec": .null]))
    #expect(
      merge.body(ifVersion: "7")
        == #"{"metadata":{"resourceVersion":"7","labels":null},"spec":null}"#)
    #expect(
      Patch.json([.init("add", "/spec/x", .bool(true))]).body(ifVersion: "7")
        == #"[{"op":"add","path":"/metadata/resourceVersion","value":"7"},{"op":"add","path":"/spec/x","value":true}]"#
    )
  }

  @Test(
    "addresses of servers are taken apart, and what is none is refused")
  func addresses() {
    #expect(URLParts("https://h")?.port == 443)
    #expect(
      URLParts("https://[::1]:6443/a/b").map { "\($0.host) \($0.port) \($0.path)" }
        == "[::1] 6443 /a/b")
    for text in [
      "h:1", "ftp://h", "https://", "https://u@h", "https://h:x", "https://h:0", "https://a b",
    ] {
      #expect(URLParts(text) == nil, "\(text)")
    }
  }
}
