-- Return the letters other than ASCII in a text, and its pairs of characters with such a letter, as
-- `domain.search.grams` looks them up. Each begins with the workspace, as in `workspace_tags`. An index of trigrams
-- cannot find one or two letters, and most words of Chinese, Japanese, Korean, Hindi and Tamil are that short.
--
-- A create calls this under the workspace lock: 0.1 ms for a name, 20 ms for the longest description. It does not remove
-- duplicates, because the index does, and a version with DISTINCT and lead() took three times as long.
CREATE FUNCTION search_grams(workspace uuid, search_text text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    prefix text := workspace;
    letters text[] := string_to_array(search_text, NULL);
BEGIN
    RETURN ARRAY(SELECT prefix || letter FROM unnest(letters) AS letter WHERE octet_length(letter) > 1)
        || ARRAY(
            SELECT prefix || letter || following
            FROM unnest(letters, letters[2:]) AS pair (letter, following)
            WHERE octet_length(letter) + octet_length(following) > 2
                AND letter NOT IN (' ', E'\n') AND following NOT IN (' ', E'\n')
        );
END
$$;
