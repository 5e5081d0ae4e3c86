// A signed call through the gateway with the JDK alone (17 or newer). Usage: see README.md.
import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

public class Sample {
    static final String ALG = "ecdsa-p256-sha256";
    static final String JCA = "SHA256withECDSAinP1363Format"; // r and s, not DER
    static final List<String> ANSWER_FIELDS = List.of("content-type", "content-encoding", "x-road-id", "x-road-client",
        "x-road-service", "x-road-request-id", "x-road-request-hash", "x-road-error", "motlan-outcome", "motlan-receipt");
    static final Pattern MEMBER = Pattern.compile("([a-z0-9_*.-]+)=(\\(([^)]*)\\)([^,]*))");

    public static void main(String[] args) throws Exception {
        if (args.length < 8) {
            System.err.println("usage: Sample GATEWAY_URL CA CLIENT_ID KEY CERT GATEWAY_CERT PATH PURPOSE [BODYFILE]");
            System.exit(2);
        }
        String purpose = args[7].startsWith("\"") ? args[7] : '"' + args[7] + '"';
        byte[] body = args.length > 8 ? Files.readAllBytes(Path.of(args[8])) : null;
        X509Certificate gateway = certificate(args[5]);

        // --- the request: what is sent is what is signed ---
        String method = body == null ? "GET" : "POST";
        String target = args[0] + args[6];
        Map<String, String> fields = new LinkedHashMap<>();
        fields.put("x-road-client", args[2]);
        fields.put("x-road-id", UUID.randomUUID().toString());
        fields.put("motlan-purpose", purpose);
        if (System.getenv("OFFICER") != null) fields.put("x-road-userid", System.getenv("OFFICER"));
        if (System.getenv("CASE") != null) fields.put("x-road-issue", System.getenv("CASE"));
        if (body != null) {
            fields.put("content-type", "application/json");
            fields.put("content-digest", digest(body));
        }
        Map<String, String> values = new LinkedHashMap<>();
        values.put("\"@method\"", method);
        values.put("\"@target-uri\"", target);
        fields.forEach((name, value) -> values.put('"' + name + '"', value));
        byte[] nonce = new byte[24];
        new SecureRandom().nextBytes(nonce);
        long now = Instant.now().getEpochSecond();
        String params = "(" + String.join(" ", values.keySet()) + ");created=" + now + ";expires=" + (now + 60)
            + ";nonce=\"" + Base64.getUrlEncoder().withoutPadding().encodeToString(nonce)
            + "\";keyid=\"" + keyid(certificate(args[4])) + "\";alg=\"" + ALG + "\";tag=\"motlan-request\"";
        Signature signer = Signature.getInstance(JCA);
        signer.initSign(privateKey(args[3]));
        signer.update(base(values, params));
        String signature = ":" + Base64.getEncoder().encodeToString(signer.sign()) + ":";

        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(target)).method(method,
            body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofByteArray(body));
        fields.forEach(request::header);
        request.header("signature-input", "sig1=" + params).header("signature", "sig1=" + signature);
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).sslContext(trusting(args[1])).build();
        try {
            HttpResponse<byte[]> answer = client.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
            Map<String, String> ours = new LinkedHashMap<>();
            ours.put("\"@status\"", String.valueOf(answer.statusCode()));
            ours.put("\"@method\";req", method);
            ours.put("\"@target-uri\";req", target);
            if (body != null) ours.put("\"content-digest\";req", fields.get("content-digest"));
            ours.put("\"signature-input\";req;key=\"sig1\"", params);
            ours.put("\"signature\";req;key=\"sig1\"", signature);
            verify(answer, ours, gateway);
            System.err.println("verified: " + answer.statusCode());
            System.out.write(answer.body());
            System.out.flush();
            System.exit(answer.statusCode() < 400 ? 0 : 1);
        } catch (java.io.IOException | SecurityException error) {
            System.err.println("not verified: " + error);
            System.exit(2);
        }
    }

    /** Throws SecurityException unless the gateway signed this answer; ours: values of the request, and the status. */
    static void verify(HttpResponse<byte[]> answer, Map<String, String> ours, X509Certificate gateway) throws Exception {
        Matcher member = MEMBER.matcher(field(answer, "signature-input", ""));
        do {
            need(member.find(), "no signature of a gateway");
        } while (!member.group(4).contains(";tag=\"motlan-response\""));
        String label = member.group(1), params = member.group(2), rest = member.group(4);
        need(rest.contains(";keyid=\"" + keyid(gateway) + '"'), "signed by another key");
        need(rest.contains(";alg=\"" + ALG + '"'), "another algorithm");

        List<String> covered = Arrays.asList(member.group(3).trim().split(" +"));
        List<String> needed = new ArrayList<>(List.of("\"content-digest\""));
        boolean error = answer.statusCode() >= 400 && field(answer, "x-road-error", null) != null;
        for (String component : ours.keySet()) // an error may come without our signature, if it could not be read
            if (!error || !component.contains(";key=")) needed.add(component);
        for (String name : ANSWER_FIELDS)
            if (field(answer, name, null) != null) needed.add('"' + name + '"');
        for (String component : needed) need(covered.contains(component), component + " is not covered");

        Map<String, String> values = new LinkedHashMap<>();
        for (String component : covered) {
            String value = ours.containsKey(component) ? ours.get(component) : field(answer, component.replace("\"", ""), null);
            need(value != null, "unknown or absent component " + component);
            values.put(component, value);
        }
        Matcher octets = Pattern.compile("(?:^|, *)" + Pattern.quote(label) + "=:([A-Za-z0-9+/=]+):")
            .matcher(field(answer, "signature", ""));
        need(octets.find(), "no signature under that label");
        Signature verifier = Signature.getInstance(JCA);
        verifier.initVerify(gateway.getPublicKey());
        verifier.update(base(values, params));
        boolean right;
        try {
            right = verifier.verify(Base64.getDecoder().decode(octets.group(1)));
        } catch (java.security.SignatureException malformed) {
            right = false;
        }
        need(right, "the signature is wrong");
        Matcher created = Pattern.compile(";created=(\\d+)").matcher(rest);
        need(created.find(), "no time");
        long age = Instant.now().getEpochSecond() - Long.parseLong(created.group(1));
        need(age < 360 && age > -60, "the answer is of another time");
        need(field(answer, "content-digest", "").equals(digest(answer.body())), "the body is another one");
    }

    static void need(boolean condition, String what) {
        if (!condition) throw new SecurityException(what);
    }

    /** A field's value; one that occurs twice is joined, and so does not verify. */
    static String field(HttpResponse<?> answer, String name, String otherwise) {
        List<String> all = answer.headers().allValues(name);
        return all.isEmpty() ? otherwise : String.join(", ", all);
    }

    static byte[] base(Map<String, String> values, String params) {
        StringBuilder base = new StringBuilder();
        values.forEach((component, value) -> base.append(component).append(": ").append(value).append('\n'));
        return base.append("\"@signature-params\": ").append(params).toString().getBytes(StandardCharsets.US_ASCII);
    }

    static byte[] sha256(byte[] bytes) throws Exception {
        return MessageDigest.getInstance("SHA-256").digest(bytes);
    }

    static String digest(byte[] bytes) throws Exception {
        return "sha-256=:" + Base64.getEncoder().encodeToString(sha256(bytes)) + ":";
    }

    static String keyid(X509Certificate certificate) throws Exception {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(sha256(certificate.getEncoded()));
    }

    static X509Certificate certificate(String file) throws Exception {
        return (X509Certificate) CertificateFactory.getInstance("X.509")
            .generateCertificate(new ByteArrayInputStream(Files.readAllBytes(Path.of(file))));
    }

    static PrivateKey privateKey(String file) throws Exception {
        String pem = Files.readString(Path.of(file)).replaceAll("-----[A-Z ]+-----|\\s", "");
        return KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem)));
    }

    static SSLContext trusting(String file) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null);
        int number = 0;
        for (var certificate : CertificateFactory.getInstance("X.509").generateCertificates(Files.newInputStream(Path.of(file))))
            store.setCertificateEntry("ca" + number++, certificate);
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }
}
