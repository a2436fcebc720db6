// Uploads, records, reads and lists with the HTTP client of the JDK. Arguments: the address and the API key.
//
// By default, this client offers HTTP/2 with `Upgrade: h2c` in the first request of each connection, also in one that
// has a body. So each way to send a body is tried on a new connection.

import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Version;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Arrays;
import java.util.Random;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

public class JdkClient {
    static String address;
    static String key;

    public static void main(String[] arguments) throws Exception {
        address = arguments[0];
        key = arguments[1];
        int recorded = 0;
        for (Version version : Version.values()) {
            HttpClient shared = client(version);
            for (Supplier<HttpClient> clients : Arrays.<Supplier<HttpClient>>asList(() -> client(version), () -> shared)) {
                for (int size : new int[] {0, 18, 2_000_000}) {
                    byte[] content = new byte[size];
                    new Random(size).nextBytes(content);
                    // With its length, chunked, and chunked after `100 Continue`.
                    record(clients, content, BodyPublishers.ofByteArray(content), false);
                    record(clients, content, BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(content)), false);
                    record(clients, content, BodyPublishers.ofByteArray(content), true);
                    recorded += 3;
                }
            }
        }
        HttpResponse<String> listed = send(client(Version.HTTP_2), api("/v1/documents").GET());
        check(listed.statusCode() == 200 && member(listed, "total").equals("" + recorded), listed);
        System.out.println("done");
    }

    static void record(Supplier<HttpClient> clients, byte[] content, BodyPublisher body, boolean waits) throws Exception {
        HttpResponse<String> signed = send(
            clients.get(), json("/v1/documents/upload-url", "{\"name\": \"a.bin\", \"mime_type\": \"text/plain\"}"));
        check(signed.statusCode() == 200, signed);
        HttpResponse<String> uploaded = send(
            clients.get(),
            HttpRequest.newBuilder(URI.create(member(signed, "upload_url")))
                .header("Content-Type", "text/plain").expectContinue(waits).PUT(body));
        check(uploaded.statusCode() == 200, uploaded);

        String document = "{\"name\": \"a.bin\", \"mime_type\": \"text/plain\", \"storage_path\": \""
            + member(signed, "storage_path") + "\"}";
        String attempt = UUID.randomUUID().toString();
        String id = "";
        for (int i = 0; i < 2; i++) {
            HttpResponse<String> created = send(
                clients.get(), json("/v1/documents", document).header("Idempotency-Key", attempt));
            check(created.statusCode() == 201 && member(created, "size_bytes").equals("" + content.length), created);
            check(i == 0 || member(created, "id").equals(id), created);
            id = member(created, "id");
        }
        HttpResponse<String> read = send(clients.get(), api("/v1/documents/" + id).GET());
        check(read.statusCode() == 200, read);
        HttpResponse<byte[]> downloaded = clients.get().send(
            HttpRequest.newBuilder(URI.create(member(read, "download_url"))).build(), BodyHandlers.ofByteArray());
        check(downloaded.statusCode() == 200 && Arrays.equals(downloaded.body(), content), downloaded);
    }

    static HttpClient client(Version version) {
        return HttpClient.newBuilder().version(version).build();
    }

    static HttpRequest.Builder api(String path) {
        return HttpRequest.newBuilder(URI.create(address + path)).header("Authorization", "Bearer " + key);
    }

    static HttpRequest.Builder json(String path, String body) {
        return api(path).header("Content-Type", "application/json").POST(BodyPublishers.ofString(body));
    }

    static HttpResponse<String> send(HttpClient client, HttpRequest.Builder request) throws Exception {
        return client.send(request.build(), BodyHandlers.ofString());
    }

    static String member(HttpResponse<String> response, String name) {
        Matcher found = Pattern.compile("\"" + name + "\": ?\"?([^\",}]*)").matcher(response.body());
        check(found.find(), response);
        return found.group(1);
    }

    static void check(boolean holds, HttpResponse<?> response) {
        if (!holds) {
            throw new AssertionError(response.request().method() + " " + response + " " + response.body());
        }
    }
}
